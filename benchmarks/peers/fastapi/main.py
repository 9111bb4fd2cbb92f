"""The specification's stack, FastAPI, asyncpg and pydantic, answering `GET /v1/executions/{id}` from our tables.

usage: DATABASE_URL=… API_KEY_SALT=… uvicorn main:app --workers 2 --loop uvloop --http httptools --no-access-log
"""

import asyncio
import hashlib
import hmac
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
from fastapi import Depends, FastAPI, HTTPException, Request, Security
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, Json

KEY_LIFETIME = 1.0  # seconds that a looked-up key is believed, as in the server this is measured beside
KEYS_AT_MOST = 4096


class Execution(BaseModel):
    """JSON columns come as text: pydantic parses and checks them in one pass, quicker than a codec of asyncpg's."""

    id: UUID
    template_id: str
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    progress_percentage: int
    current_step: str | None
    total_steps: int | None
    completed_steps: int
    result: Json[dict[str, Any]] | None
    cost_breakdown: Json[dict[str, Any]] | None
    total_cost: Decimal
    error_message: str | None
    error: Json[dict[str, Any]] | None
    deployed_url: str | None
    github_repo_url: str | None
    created_at: datetime
    start_time: datetime | None
    end_time: datetime | None
    estimated_completion: datetime | None


EXECUTION = """
    SELECT e.id, e.template_slug AS template_id, e.status, e.progress_percentage, e.current_step, e.total_steps,
        (SELECT count(*) FROM execution_steps s WHERE s.execution_id = e.id AND s.state <> 'failed')
            AS completed_steps,
        e.result_data AS result, e.cost_breakdown, trim_scale(e.total_cost) AS total_cost, e.error_message,
        e.error, e.deployed_url, e.github_repo_url, e.created_at, e.start_time, e.end_time,
        CASE WHEN e.end_time IS NULL THEN e.estimated_completion END AS estimated_completion
    FROM template_executions e WHERE e.id = $1 AND e.user_id = $2
"""

USER = """
    SELECT u.id FROM api_keys k JOIN users u ON u.id = k.user_id
    WHERE k.api_key = $1 AND k.is_active AND u.is_active AND (k.expires_at IS NULL OR k.expires_at > now())
"""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.salt = os.environ["API_KEY_SALT"].encode()
    app.state.users = {}
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10) as pool:
        app.state.pool = pool
        yield


app = FastAPI(title="AI Backend Team", lifespan=lifespan)
api_key_header = APIKeyHeader(name="X-API-Key", auto_error=False)


async def database(request: Request) -> asyncpg.Pool:
    return request.app.state.pool


async def current_user(
    request: Request,
    key: Annotated[str | None, Security(api_key_header)],
    pool: Annotated[asyncpg.Pool, Depends(database)],
) -> UUID:
    if key is None:
        raise HTTPException(401, "This endpoint needs an API key in the X-API-Key header.")
    state = request.app.state
    digest = hmac.digest(state.salt, key.encode(), hashlib.sha256).hex()
    now = time.monotonic()
    known = state.users.get(digest)
    if known is not None and now - known[1] < KEY_LIFETIME:
        return known[0]
    user = await pool.fetchval(USER, digest)
    if user is None:
        state.users.pop(digest, None)
        raise HTTPException(401, "The API key in X-API-Key is unknown, expired or revoked.")
    if len(state.users) >= KEYS_AT_MOST:
        state.users.clear()
    state.users[digest] = (user, now)
    return user


@app.get("/v1/executions/{execution_id}")
async def get_execution(
    execution_id: UUID,
    user: Annotated[UUID, Depends(current_user)],
    pool: Annotated[asyncpg.Pool, Depends(database)],
) -> Execution:
    row = await pool.fetchrow(EXECUTION, execution_id, user)
    if row is None:
        raise HTTPException(404, "There is no such execution.")
    return Execution.model_validate(dict(row))


@app.get("/ready")
async def ready(pool: Annotated[asyncpg.Pool, Depends(database)]) -> dict[str, str]:
    try:
        async with asyncio.timeout(2):
            await pool.fetchval("SELECT 1")
    except (TimeoutError, OSError, asyncpg.PostgresError) as error:
        raise HTTPException(503, "The database does not answer.") from error
    return {"status": "ready"}
