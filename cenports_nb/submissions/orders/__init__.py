"""Writes about orders and shipments: create, acknowledge."""
