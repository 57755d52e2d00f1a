# A server over stdio of one tool, `meta`, which answers with the _meta of its own call:  meta_server.py modern|legacy
import json
import sys

modern = sys.argv[1] == "modern"
TOOLS = [{"name": "meta", "inputSchema": {"type": "object"}}]
for line in sys.stdin:
    m = json.loads(line)
    if "id" not in m:
        continue
    result = None
    if m["method"] == "tools/list":
        result = {"tools": TOOLS}
    elif m["method"] == "tools/call":
        result = {"content": [{"type": "text", "text": json.dumps(m["params"].get("_meta"))}]}
    elif m["method"] == "initialize" and not modern:
        result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "meta", "version": "1"}}
    elif m["method"] == "server/discover" and modern:
        result = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, "serverInfo": {"name": "meta", "version": "1"}}
    if result is not None and modern:
        result["resultType"] = "complete"
    answer = {"result": result} if result is not None else {"error": {"code": -32601, "message": "no such method"}}
    print(json.dumps({"jsonrpc": "2.0", "id": m["id"], **answer}), flush=True)
