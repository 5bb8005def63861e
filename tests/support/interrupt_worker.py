"""A process that loads many pages until it is interrupted: `interrupt_worker.py URL`."""

import sys

import cenports_nb as cn


def main() -> None:
    key = {"partner_id": "P", "client_id": "i", "client_secret": "s"}
    with cn.connect("staging", base_url=sys.argv[1], rate_limit=10, **key) as client:
        try:
            cn.load_orders(client, "2026-02-20", "2026-02-21", progress=False)
        except KeyboardInterrupt:
            print("interrupted", flush=True)


if __name__ == "__main__":
    main()
