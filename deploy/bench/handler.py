"""The floor of the collector: an empty FastAPI handler that reads a body and answers.

`python -m deploy.bench.handler PORT` serves it as the collector is served.
"""

import sys

import uvicorn
from fastapi import FastAPI, Request

from deploy.local.ports import HOST

app = FastAPI()


@app.post("/v1/batch")
async def post_batch(request: Request) -> dict[str, bool]:
    """Read, and say so."""
    async for _ in request.stream():
        pass
    return {"success": True}


@app.get("/healthz")
async def healthz() -> str:
    """The process answers."""
    return "ok"


if __name__ == "__main__":
    uvicorn.run(app, host=HOST, port=int(sys.argv[1]), log_config=None, access_log=False)
