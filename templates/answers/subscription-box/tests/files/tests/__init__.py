"""python3 -m unittest discover -s tests -t .   (with DATABASE_URL; the tests use a schema of their own)"""
