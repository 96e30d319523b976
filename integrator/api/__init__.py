"""The REST façade: every question comes in here, is read strictly, and is handed to the exchange."""
