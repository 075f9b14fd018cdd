"""The GPU budget: how much rendering a day may cost the house, and the brake when it has."""
