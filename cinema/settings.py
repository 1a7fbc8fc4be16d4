"""Every setting of every program in this project, read from environment variables that start with ``CINEMA_``."""

import os
import string
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from annotated_types import Ge, Gt, Le
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cinema.network_settings import HostNames, Networks, Origins, Rate, separated
from schemas.service import GpuWork
from schemas.speech import SpeechArithmetic, SpeechDevice

GIBIBYTE = 1 << 30

#: 32 bytes in URL-safe base64: 43 characters and one of padding.
ENCRYPTION_KEY_LENGTH = 44
URL_SAFE_BASE64 = frozenset(string.ascii_letters + string.digits + "-_")

Port = Annotated[int, Ge(1), Le(65_535)]
Slots = Annotated[int, Gt(0)]
Seconds = Annotated[float, Gt(0)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
VariableNames = Annotated[tuple[VariableName, ...], NoDecode, BeforeValidator(separated)]
AbsolutePath = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


class SettingsError(Exception):
    """A variable has a value that makes no sense; the message names it and says why."""


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    JSON = "json"
    CONSOLE = "console"


class SweepInterval(StrEnum):
    """How often what plans no longer keep is removed."""

    HOURLY = "hourly"
    DAILY = "daily"
    OFF = "off"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _model_cache() -> Path:
    """Beside other programs' caches, so that several checkouts and homes share one download."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cinema" / "models"


def _readable_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def _encryption_keys(keys: SecretStr) -> SecretStr:
    for key in keys.get_secret_value().split(","):
        if len(key) != ENCRYPTION_KEY_LENGTH or not set(key[:-1]) <= URL_SAFE_BASE64 or not key.endswith("="):
            raise ValueError("each key must be 32 bytes in URL-safe base64")
    return keys


def _header_value(key: SecretStr) -> SecretStr:
    if not (key.get_secret_value().isascii() and key.get_secret_value().isprintable()):
        raise ValueError("it has characters that cannot be sent in a header")
    return key


def _share_of_cores(parts: int) -> int:
    return max(1, (os.cpu_count() or 1) // parts)


class Settings(BaseSettings):
    """How this installation runs. Immutable: what differs at run time is a copy with other values.

    A default that depends on the machine is described in ``json_schema_extra["default"]`` for the documentation.
    """

    model_config = SettingsConfigDict(env_prefix="CINEMA_", frozen=True, extra="ignore", env_ignore_empty=True)

    home: AbsolutePath = Field(
        Path(".cinema"),
        validate_default=True,
        description="Folder of the embedded stack: database, workflow history, objects, logs, state.",
    )
    models: AbsolutePath = Field(
        default_factory=_model_cache,
        description="Folder where downloaded models are kept between jobs.",
        json_schema_extra={"default": "`~/.cache/cinema/models`"},
    )
    objects: AbsolutePath | None = Field(
        None,
        description="Folder of the local object store.",
        json_schema_extra={"default": "`objects` in the home folder"},
    )
    supabase_url: Annotated[str, Field(pattern=r"^https?://[^/?#]+/?$")] | None = Field(
        None,
        description="Address of the Supabase project that keeps objects instead, such as "
        "`https://abcdefgh.supabase.co`; see supabase.md.",
        json_schema_extra={"default": "objects are kept in a local folder"},
    )
    supabase_key: SecretStr | None = Field(
        None,
        description="Its secret key (`sb_secret_…`, or the older `service_role` token); it may do everything there.",
        json_schema_extra={"default": "objects are kept in a local folder"},
    )
    supabase_file_bytes: Annotated[int, Gt(0)] = Field(
        50_000_000_000,
        description="Size of the largest file in its buckets, set by `cinema setup supabase`; at most the "
        "project's own limit.",
    )
    object_cache: AbsolutePath | None = Field(
        None,
        description="Folder for copies of objects in Supabase Storage while they are worked on; may be shared by the "
        "processes of a machine.",
        json_schema_extra={"default": "`object-cache` in the home folder"},
    )
    object_cache_bytes: Annotated[int, Gt(0)] = Field(
        50 * GIBIBYTE,
        description="Size that they may reach together; those used within the last six hours stay even beyond it.",
    )
    scratch: AbsolutePath | None = Field(
        None,
        description="Folder for workers' temporary files; needs room for the largest source and output at once.",
        json_schema_extra={"default": "`scratch` in the home folder"},
    )
    environment: Environment = Field(
        Environment.DEVELOPMENT,
        description="`production` needs a sign-in service and the API's host names, answers for no others, tells "
        "browsers to come by HTTPS alone, logs JSON and hides the API's interactive documentation.",
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="Least severe level that is logged.")
    log_format: LogFormat | None = Field(
        None,
        description="`json` or `console`.",
        json_schema_extra={"default": "`console` on a terminal in development, else `json`"},
    )
    postgres_dsn: SecretStr | None = Field(
        None,
        description="Address of a Postgres to use instead of the embedded one.",
        json_schema_extra={"default": "the embedded Postgres"},
    )
    postgres_connections: Annotated[int, Gt(0)] = Field(
        8, description="Most connections that one process opens to Postgres; a worker opens one more for each slot."
    )
    temporal_address: str | None = Field(
        None,
        description="`host:port` of a Temporal server to use instead of the embedded one.",
        json_schema_extra={"default": "the embedded Temporal"},
    )
    temporal_namespace: str = Field("default", description="Temporal namespace of all workflows.")
    temporal_retention_days: Annotated[int, Ge(1), Le(3650)] = Field(
        30, description="How long Temporal keeps the history of a closed workflow."
    )
    temporal_ui_url: str | None = Field(
        None,
        description="Address of the Temporal Web UI that goes with `CINEMA_TEMPORAL_ADDRESS`.",
        json_schema_extra={"default": "the embedded Temporal's"},
    )
    temporal_port: Port = Field(7233, description="Preferred port of the embedded Temporal; another if it is taken.")
    temporal_ui_port: Port = Field(
        8233, description="Preferred port of the embedded Temporal Web UI; another if it is taken."
    )
    api_port: Port = Field(8700, description="Preferred port of the API; another if it is taken.")
    api_url: str | None = Field(
        None,
        description="Address under which clients reach the API; signed links start with it.",
        json_schema_extra={"default": "`http://127.0.0.1` and the API's port"},
    )
    api_hosts: HostNames = Field(
        (),
        description="Host names that the API answers for, separated by commas; `*.` before one stands for "
        "all below it.",
        json_schema_extra={"default": "that of `CINEMA_API_URL` in production, else any"},
    )
    api_origins: Origins = Field(
        (),
        description="Origins whose pages may use the API from a browser (CORS), separated by commas.",
        json_schema_extra={"default": "none but its own"},
    )
    api_trusted_proxies: Networks = Field(
        (),
        description="Addresses or networks of proxies in front of the API, whose word on a client's address and scheme "
        "is taken (`X-Forwarded-For`, `X-Forwarded-Proto`), separated by commas.",
        json_schema_extra={"default": "none"},
    )
    api_timeout_seconds: Seconds = Field(
        30, description="How long a request may take until its answer begins; uploads may take longer."
    )
    rate_limits: bool = Field(
        True,  # noqa: FBT003 (a default)
        description="Whether requests are limited by caller and by address, as follows.",
    )
    rate_reads: Rate = Field("1200/minute", description="Requests of one creator that read.")
    rate_writes: Rate = Field("240/minute", description="Requests of one creator that change something.")
    rate_uploads: Rate = Field("6000/minute", description="Requests of one creator that carry pieces of uploads.")
    rate_sign_ins: Rate = Field("30/minute", description="Tries to get in from one address: sign-ins, passwords.")
    rate_address_multiple: Annotated[int, Ge(1)] = Field(
        5, description="How many times as much one address may do otherwise, as many people may share one."
    )
    rate_store: SecretStr | None = Field(
        None,
        description="Store that API processes share to count requests, such as `redis://host:6379`; needs the extra "
        "`redis`.",
        json_schema_extra={"default": "each process counts for itself"},
    )
    audit_days: Annotated[int, Ge(30), Le(36_500)] = Field(
        365, description="Days that the log of who did what is kept."
    )
    telemetry_host: str = Field(
        "127.0.0.1",
        description="Address on which each process serves `/livez`, `/readyz` and `/metrics` to operators; "
        "`0.0.0.0` where a platform asks from outside.",
    )
    telemetry_port: Port | None = Field(
        None,
        description="Port for it, of a process that runs by itself.",
        json_schema_extra={"default": "a free one; `cinema status` shows those of the stack"},
    )
    signing_key: SecretStr | None = Field(
        None,
        min_length=32,
        description="Secret that signs download links, at least 32 characters.",
        json_schema_extra={"default": "made once and kept in the home folder"},
    )
    auth_issuer: str | None = Field(
        None,
        description="Sign-in service whose access tokens the API accepts, as in their `iss` claim; for Supabase "
        "`https://<project>.supabase.co/auth/v1`. Required in production.",
        json_schema_extra={"default": "the API signs tokens itself, for this machine alone"},
    )
    auth_jwks_url: str | None = Field(
        None,
        description="Where that service publishes the keys that it signs with.",
        json_schema_extra={"default": "`/.well-known/jwks.json` below the issuer"},
    )
    auth_jwt_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="Its legacy shared secret (HS256), where it still signs with one.",
        json_schema_extra={"default": "such tokens are refused"},
    )
    auth_audience: str = Field("authenticated", description="Audience that its access tokens must be meant for.")
    jobs_slots: Slots = Field(20, description="Light activities (database work) one worker does at a time.")
    analysis_slots: Slots = Field(
        default_factory=lambda: _share_of_cores(2),
        description="Analyses one worker does at a time.",
        json_schema_extra={"default": "half of the cores"},
    )
    render_slots: Slots = Field(
        default_factory=lambda: _share_of_cores(4),
        description="Outputs one worker renders at a time.",
        json_schema_extra={"default": "a quarter of the cores"},
    )
    gpu_slots: Slots = Field(
        1, description="Outputs one GPU worker renders, or sources it transcribes, at a time; best one per GPU."
    )
    gpu_work: GpuWork = Field(
        GpuWork.AUTO,
        description="Who is offered work that a GPU makes faster: `auto` GPU workers while any is there, `always` GPU "
        "workers even if none is seen (they start when work waits), `never` CPU workers alone.",
    )
    gpu_patience_seconds: Seconds = Field(
        20, description="How long such work waits for a GPU worker before a CPU worker takes it."
    )
    gpu_workers: bool | None = Field(
        None,
        description="Whether `cinema up` starts workers for the GPU queues.",
        json_schema_extra={"default": "where a GPU is found"},
    )
    whisper_model: str | None = Field(
        None,
        description="Whisper model for transcripts: a name faster-whisper knows, or a folder.",
        json_schema_extra={"default": "the best that can be had"},
    )
    whisper_beam_size: Annotated[int, Ge(1), Le(10)] = Field(
        5, description="Beams that it searches with: more find a little more, and take longer."
    )
    whisper_device: SpeechDevice = Field(
        SpeechDevice.AUTO, description="What it runs on: `cpu`, `cuda`, or `auto` for a GPU where there is one."
    )
    whisper_arithmetic: SpeechArithmetic = Field(
        SpeechArithmetic.AUTO,
        description="What it computes in: `int8`, `int8_float16`, `float16`, `bfloat16`, `float32`, or `auto` for "
        "`float16` on a GPU that is quick at it, else `int8`.",
    )
    judge_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")] | None = Field(
        None,
        description="Address below which a language model is asked to rank candidates, as OpenAI's API is, such as "
        "`http://127.0.0.1:11434/v1`; see operating.md, *A judge of passages*.",
        json_schema_extra={"default": "none is asked"},
    )
    judge_model: str | None = Field(
        None,
        min_length=1,
        description="Name of that model.",
        json_schema_extra={"default": "none is asked"},
    )
    judge_key: Annotated[SecretStr, AfterValidator(_header_value)] | None = Field(
        None,
        description="Key that is sent to it, as `Authorization: Bearer`.",
        json_schema_extra={"default": "none is sent"},
    )
    judge_timeout_seconds: Annotated[float, Gt(0), Le(60)] = Field(
        20, description="How long an output waits for its answer before the built-in score chooses."
    )
    encoder_preset: str = Field("veryfast", description="x264 preset of finished videos.")
    encoder_crf: Annotated[int, Ge(0), Le(51)] = Field(
        20, description="x264 quality of finished videos; lower is better."
    )
    encoder_threads: Annotated[int, Ge(0)] = Field(0, description="x264 threads per render; 0 lets x264 choose.")
    encoder_audio_bitrate: Annotated[int, Gt(0)] = Field(192_000, description="AAC bits per second.")
    segment_seconds: Annotated[int, Ge(0), Le(3600)] = Field(
        40,
        description="Seconds of video, about, in each of the segments that an output of more than three times as much "
        "is rendered in, side by side where there are workers; 0 renders every output in one piece.",
    )
    sandbox_memory_bytes: Annotated[int, Ge(GIBIBYTE)] = Field(
        8 * GIBIBYTE, description="Memory that a process decoding media may take."
    )
    sandbox_file_bytes: Annotated[int, Gt(0)] = Field(
        64 * GIBIBYTE, description="Size of the largest file that such a process may write."
    )
    sandbox_environment: VariableNames = Field(
        (),
        description="Names, separated by commas, of variables that such a process may see besides those that its "
        "libraries need, for a graphics driver for example. No secrets.",
    )
    webhook_keys: Annotated[SecretStr, AfterValidator(_encryption_keys)] | None = Field(
        None,
        description="Keys that encrypt webhooks' secrets in the database: 32 bytes in URL-safe base64 each, separated "
        "by commas; the first encrypts, all decrypt. Needed, and the same everywhere, where workers run on several "
        "machines.",
        json_schema_extra={"default": "one made once and kept in the home folder"},
    )
    webhook_allow_http: bool = Field(
        False,  # noqa: FBT003 (a default)
        description="Deliver webhooks to `http://` addresses too; for development.",
    )
    webhook_allow_private: bool = Field(
        False,  # noqa: FBT003 (a default)
        description="Deliver webhooks to private addresses and to any port too; for development, as it lets creators "
        "reach the network of the workers.",
    )
    webhook_ca_file: Annotated[AbsolutePath, AfterValidator(_readable_file)] | None = Field(
        None,
        description="PEM file of certificates that webhook receivers may have besides publicly trusted ones.",
        json_schema_extra={"default": "none"},
    )
    worker_drain_seconds: Seconds = Field(
        10, description="How long a stopping worker lets running work finish before it hands it back."
    )
    payload_keys: SecretStr | None = Field(
        None,
        description="Keys that encrypt what Temporal keeps of jobs, as `id:base64`, separated by commas: the first "
        "encrypts, all decrypt. See temporal.md, *Encryption*.",
        json_schema_extra={"default": "not encrypted"},
    )
    payload_keys_file: AbsolutePath | None = Field(
        None,
        description="File with such keys, one a line, instead.",
        json_schema_extra={"default": "not encrypted"},
    )
    codec_port: Port = Field(
        8710, description="Preferred port of the server that decrypts for the Temporal Web UI; another if it is taken."
    )
    codec_token: SecretStr | None = Field(
        None,
        description="Token that it asks for, as `Authorization: Bearer`.",
        json_schema_extra={"default": "none is asked for"},
    )
    worker_deployment: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")] | None = Field(
        None,
        description="Name of the Temporal worker deployment that workers belong to; see temporal.md, *Rolling out*.",
        json_schema_extra={"default": "workers are unversioned"},
    )
    worker_build_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]{1,100}$")] | None = Field(
        None,
        description="Version of these workers within their deployment, such as a release or a commit.",
        json_schema_extra={"default": "workers are unversioned"},
    )
    retention_sweep: SweepInterval = Field(
        SweepInterval.DAILY, description="How often what plans no longer keep is removed: `hourly`, `daily` or `off`."
    )
    retention_notice_days: Annotated[int, Ge(0), Le(365)] = Field(
        7, description="Days that a creator knows of it before anything of theirs is removed."
    )
    retention_grace_days: Annotated[int, Ge(0), Le(3650)] = Field(
        14, description="Days that nothing is removed for after a creator's plan has begun to keep things for less."
    )
    start_timeout_seconds: Seconds = Field(
        120, description="How long `cinema up` waits for each part of the stack to be ready."
    )

    @model_validator(mode="after")
    def _versions_are_whole(self) -> Self:
        if (self.worker_deployment is None) != (self.worker_build_id is None):
            raise ValueError(f"set {variable('worker_deployment')} and {variable('worker_build_id')} both, or neither")
        return self

    @model_validator(mode="after")
    def _judge_is_whole(self) -> Self:
        if (self.judge_url is None) != (self.judge_model is None):
            raise ValueError(f"set {variable('judge_url')} and {variable('judge_model')} both, or neither")
        return self

    @model_validator(mode="after")
    def _supabase_is_whole(self) -> Self:
        if (self.supabase_url is None) != (self.supabase_key is None):
            raise ValueError(f"set {variable('supabase_url')} and {variable('supabase_key')} both, or neither")
        return self

    @property
    def objects_folder(self) -> Path:
        return self.objects or self.home / "objects"

    @property
    def object_cache_folder(self) -> Path:
        return self.object_cache or self.home / "object-cache"

    @property
    def scratch_folder(self) -> Path:
        return self.scratch or self.home / "scratch"


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: A variable has a value that makes no sense.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_complaint(problem) for problem in error.errors())) from error


def _complaint(problem: ErrorDetails) -> str:
    """What is wrong, after the name of the variable, or by itself where it is about several."""
    message = problem["msg"].removeprefix("Value error, ")
    return f"{variable(str(problem['loc'][0]))}: {message}" if problem["loc"] else message


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{Settings.model_config['env_prefix']}{name}".upper()
