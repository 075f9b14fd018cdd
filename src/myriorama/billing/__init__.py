"""Money: budgets that servers spend out of leases, and what was reported of ads, settled."""
