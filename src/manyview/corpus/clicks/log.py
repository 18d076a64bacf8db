"""ClickLog: where a click log is, what its columns are called and what is believed of it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from manyview.config import Config

__all__ = ["ROLES", "ClickLog"]

ROLES = ("query", "id", "impressions", "clicks", "time", "position", "user")

Positive = Annotated[float, Field(gt=0)]
Column = Annotated[str, Field(min_length=1)]


class ClickLog(Config):
    """A log of which pictures were shown and clicked for which queries.

    Three forms: counted (columns of impressions and clicks), one row for each showing (no impressions, clicks
    0 or 1), one row for each click (neither). A row of the first form may hold a click and no impression, as
    where both are events of their own.
    """

    path: str | tuple[str, ...] = Field(description="files, folders or globs, local or scheme://")
    format: Literal["auto", "parquet", "csv", "tsv", "jsonl"] = Field(
        default="auto", description="how the files are written; auto goes by their suffix"
    )
    encoding: str = Field(default="utf-8", description="of text without a byte order mark; gb18030 for instance")
    name: str = Field(default="clicks", min_length=1, description="what the origin of each view begins with")

    query: Column = Field(default="query", description="the column of what was typed; default: that or its usual name")
    id: Column = Field(default="id", description="the column of the image's id")
    impressions: Column | None = Field(
        default="impressions", description="how often it was shown; null: no such column"
    )
    clicks: Column | None = Field(default="clicks", description="how often it was clicked; null: each row is a click")
    time: Column | None = Field(
        default=None,
        description="seconds, milliseconds, ... since 1970, timestamps, ISO 8601, 20240131 or 20240131081000",
    )
    position: Column | None = Field(default=None, description="the place in the list of results")
    user: Column | None = Field(default=None, description="user or session, any text or number; never written out")

    half_life_days: Positive | None = Field(
        default=None, description="a row this much older than the newest counts half; null: age is no matter"
    )
    examination: Literal["estimated", "rate", "none"] | tuple[Positive, ...] = Field(
        default="estimated",
        description="how often each position is looked at: estimated from pictures that stood in several, the plain "
        "click rate of the position, no correction, or a list of relative figures (the last holds for all after it)",
    )
    first_position: Literal[0, 1] = Field(default=1, description="the number of the topmost position")
    prior_clicks: Positive | None = Field(
        default=None, description="how many expected clicks the belief in an average pair is worth; null: from the log"
    )

    top_k: int = Field(default=10, ge=1, description="how many queries an image keeps at most")
    min_clicks: int = Field(default=2, ge=1, description="clicks of a query on an image")
    min_users: int = Field(default=1, ge=1, description="different users who clicked the image for the query")
    min_query_clicks: int = Field(default=3, ge=1, description="clicks of a query on all images together")
    min_query_users: int = Field(default=2, ge=1, description="different users who clicked anything for the query")
    max_query_images: int = Field(default=1000, ge=1, description="images clicked for a query: more say it is generic")
    max_query_chars: int = Field(default=200, ge=1, description="characters of a query")

    max_user_clicks_per_hour: int | None = Field(
        default=100, ge=1, description="a user with more is a robot; 24 times as many a day where times are dates"
    )
    max_user_click_rate: float | None = Field(default=0.9, gt=0, le=1, description="a user above this is a robot ...")
    min_user_clicks: int = Field(default=50, ge=1, description="... when there are at least so many clicks")
    burst_clicks: int | None = Field(
        default=50,
        ge=1,
        description="without users: clicks of a query on an image in an hour above which it may be a robot",
    )
    burst_factor: float = Field(
        default=20.0, ge=1, description="... if so many times the mean of the log's other hours"
    )

    @model_validator(mode="after")
    def _is_a_known_form(self) -> Self:
        if self.impressions is not None and self.clicks is None:
            raise ValueError("impressions without clicks say nothing of what was wanted: name the column of clicks")
        if self.half_life_days is not None and self.time is None:
            raise ValueError("half_life_days needs the column of time")
        if self.position is not None and self.only_clicks:
            raise ValueError(
                "in a log of clicks alone the position cannot be corrected, for nobody knows what else was shown: "
                "leave out position, or name the columns of impressions or clicks"
            )
        names = list(self.columns.values())
        if len(set(names)) < len(names):
            raise ValueError("one column cannot play two parts")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path,) if isinstance(self.path, str) else self.path

    @property
    def columns(self) -> dict[str, str]:
        """Part played -> name of the column, for those that the log has."""
        named = {role: getattr(self, role) for role in ROLES}
        return {role: name for role, name in named.items() if name is not None}

    @property
    def only_clicks(self) -> bool:
        """Each row is a click, and nothing is known of what was shown."""
        return self.clicks is None

    @property
    def watches_bursts(self) -> bool:
        """Robots are looked for by hour, there being single events with a time and no user."""
        return (
            self.burst_clicks is not None and self.impressions is None and self.time is not None and self.user is None
        )

    @property
    def watches_users(self) -> bool:
        by_hour = self.max_user_clicks_per_hour is not None and self.time is not None
        by_rate = self.max_user_click_rate is not None and not self.only_clicks
        return self.user is not None and (by_hour or by_rate)

    @property
    def needs_time_span(self) -> bool:
        return self.half_life_days is not None or self.watches_bursts

    def of_days(self) -> ClickLog:
        """The config for times that are dates: what an hour may hold, a day may hold 24 times."""
        by_hour, burst = self.max_user_clicks_per_hour, self.burst_clicks
        return self.model_copy(
            update={
                "max_user_clicks_per_hour": None if by_hour is None else 24 * by_hour,
                "burst_clicks": None if burst is None else 24 * burst,
                "burst_factor": 24 * self.burst_factor,
            }
        )
