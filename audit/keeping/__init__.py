"""How long things are kept, and how they are forgotten without breaking a proof."""
