"""The double of Stripe as tests use it: in the same process or on loopback, with faults at will."""
