"""The open door: what anybody may ask without saying who, and what is published for everybody.

It has an exchange of its own, over operations that say `personal: false` and over nothing else (exchange.py)."""
