"""Commands about Instagram accounts, as Meta has them."""
