"""The account: a person, their handle, their sessions and what they are entitled to."""
