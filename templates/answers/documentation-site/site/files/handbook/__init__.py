"""The handbook: Markdown to HTML, the pages and their search, and the site around them."""
