"""The pages and the API of data protection officers, auditors and citizens."""
