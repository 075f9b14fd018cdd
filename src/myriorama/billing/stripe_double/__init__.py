"""A strict double of Stripe: the part of it that takes money in, on a machine of one's own.

It knows no more than what a top-up needs, and refuses the rest; what it does know it does as Stripe
documents it: keys, errors, states, signatures. `myriorama up` uses it where no key of Stripe is
set, and the tests use it with every fault that a network and a provider can have.
"""
