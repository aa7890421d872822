"""Terraform and OpenTofu, from JSON to changes: `entries` checks each, `effects` weighs before against after."""
