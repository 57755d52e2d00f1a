#!/usr/bin/env python3
"""A small support desk as an MCP server over stdio, for trying Doorward out. Standard library only.

It speaks MCP 2026-07-28 (server/discover, stateless) and 2025-11-25 (initialize). All its data is in memory.
"""
import json
import sys

MODERN = "2026-07-28"
LEGACY = ["2025-11-25", "2025-06-18"]
INFO = {"name": "support-desk", "version": "1.0.0"}

ORDERS = {
    "ORD-A1B2C3D4": {"orderId": "ORD-A1B2C3D4", "status": "shipped", "total": 129.90, "carrier": "DHL", "eta": "2 days"},
    "ORD-E5F6G7H8": {"orderId": "ORD-E5F6G7H8", "status": "processing", "total": 18.00, "carrier": None, "eta": "5 days"},
}
FAQ = {
    "return": "Goods may be returned within 30 days, unused, with the receipt.",
    "shipping": "Orders ship within two working days.",
    "refund": "Refunds are decided by a person and take up to five working days.",
}
TICKETS = []


def obj(properties, required):
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


ORDER_ID = {"type": "string", "pattern": "^ORD-[A-Z0-9]{8}$", "description": "The order's number, e.g. ORD-A1B2C3D4"}


def lookup_order(a):
    return ORDERS.get(a["orderId"]) or fail("There is no order " + a["orderId"])


def check_shipping(a):
    order = ORDERS.get(a["orderId"]) or fail("There is no order " + a["orderId"])
    return {"orderId": order["orderId"], "carrier": order["carrier"], "eta": order["eta"]}


def search_faq(a):
    words = a["query"].lower()
    return {"answers": [text for key, text in FAQ.items() if key in words]}


def create_ticket(a):
    TICKETS.append(a)
    return {"ticketId": "TCK-%04d" % len(TICKETS), "subject": a["subject"], "priority": a.get("priority", "normal")}


def issue_refund(a):
    return {"orderId": a["orderId"], "refunded": a["amount"]}


def delete_account(a):
    return {"deleted": a["customerId"]}


TOOLS = [
    (lookup_order, "Look up an order by its number", obj({"orderId": ORDER_ID}, ["orderId"]), True),
    (check_shipping, "Where an order is and when it arrives", obj({"orderId": ORDER_ID}, ["orderId"]), True),
    (search_faq, "Search the frequently asked questions",
     obj({"query": {"type": "string", "minLength": 2, "maxLength": 200}}, ["query"]), True),
    (create_ticket, "Open a support ticket",
     obj({"subject": {"type": "string", "minLength": 1, "maxLength": 200},
          "priority": {"enum": ["low", "normal", "high"]}}, ["subject"]), False),
    (issue_refund, "Pay money back to a customer",
     obj({"orderId": ORDER_ID, "amount": {"type": "number", "exclusiveMinimum": 0, "maximum": 10000}},
         ["orderId", "amount"]), False),
    (delete_account, "Delete a customer's account for good",
     obj({"customerId": {"type": "string"}}, ["customerId"]), False),
]
BY_NAME = {t[0].__name__: t for t in TOOLS}


class Failed(Exception):
    pass


def fail(text):
    raise Failed(text)


def listed():
    return [{"name": f.__name__, "description": text, "inputSchema": schema,
             "annotations": {"readOnlyHint": read_only}} for f, text, schema, read_only in TOOLS]


def call(params):
    tool = BY_NAME.get(params.get("name"))
    if not tool:
        raise KeyError("Unknown tool: %s" % params.get("name"))
    try:
        value = tool[0](params.get("arguments") or {})
    except Failed as why:
        return {"content": [{"type": "text", "text": str(why)}], "isError": True}
    return {"content": [{"type": "text", "text": json.dumps(value)}], "structuredContent": value}


def answer(method, params, modern):
    if method == "server/discover":
        return {"supportedVersions": [MODERN], "capabilities": {"tools": {}}, "serverInfo": INFO,
                "ttlMs": 60000, "cacheScope": "public"}
    if method == "initialize":
        asked = params.get("protocolVersion")
        return {"protocolVersion": asked if asked in LEGACY else LEGACY[0], "capabilities": {"tools": {}},
                "serverInfo": INFO}
    if method == "ping":
        return {}
    if method == "tools/list":
        return {"tools": listed(), "ttlMs": 60000, "cacheScope": "public"} if modern else {"tools": listed()}
    if method == "tools/call":
        return call(params)
    return None


def main():
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message or "method" not in message:
            continue
        params = message.get("params") or {}
        modern = "io.modelcontextprotocol/protocolVersion" in (params.get("_meta") or {})
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        try:
            result = answer(message["method"], params, modern)
            if result is None:
                reply["error"] = {"code": -32601, "message": "Method not found: " + message["method"]}
            else:
                if modern:
                    result["resultType"] = "complete"
                reply["result"] = result
        except KeyError as why:
            reply["error"] = {"code": -32602, "message": str(why.args[0])}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
