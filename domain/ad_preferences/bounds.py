"""How much an account may say of its ads."""

HIDDEN_ADVERTISERS_MAX = 500
