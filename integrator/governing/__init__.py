"""The life of the texts that decide: kept as they were, changed by two people, looked at again.

archive      every text that ever decided, by its digest
"""
