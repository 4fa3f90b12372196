from config.kernel.models.audit import AuditEntry
from config.kernel.models.heartbeat import Heartbeat
from config.kernel.models.idempotency import IdempotencyRecord
from config.kernel.models.stored_file import StoredFile
from config.kernel.models.token import ApiToken

__all__ = ["ApiToken", "AuditEntry", "Heartbeat", "IdempotencyRecord", "StoredFile"]
