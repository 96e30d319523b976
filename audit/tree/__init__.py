"""The Merkle tree of RFC 6962 in the tiled form of C2SP, its notes, checkpoints and proofs: bytes in, bytes out."""
