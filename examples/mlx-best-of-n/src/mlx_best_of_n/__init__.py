"""A scaffold for mlxlab: independent drafts, a vote on them, and changes to the elected one."""
