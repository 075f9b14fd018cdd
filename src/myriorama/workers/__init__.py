"""The processes: what runs beside the API."""
