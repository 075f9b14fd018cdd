"""The stores: PostgreSQL, Kafka and objects, with the guarantees that the rest relies on."""
