"""How rows of a package reach us, whatever their form: a way in is one thing, a format another.

folder   drops.py: the package writes into a folder that we see
sftp     its folder is behind SSH: what stood still is renamed away, fetched, and lies in our work/ as any file
view     rows of a database view, page by page ─┐
rest     items of its JSON answers, page by page ┴ polling.py: a page becomes a file of ours, then goes the way of every file

access (the file with addresses and secrets) · journal (positions, and rows that were met) · failing (why a way is closed)
"""
