"""python3 -m unittest discover -s tests -t .   (with DATABASE_URL also the pages, in a schema of their own)"""
