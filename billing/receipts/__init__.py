"""Receipts (收据) for money that came in, and statements of account (对账单) between a lab and a customer."""
