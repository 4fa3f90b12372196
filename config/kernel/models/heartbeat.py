from django.db import models


class Heartbeat(models.Model):
    """When a named thing (the worker, a periodic task) last ran; the health page reads it."""

    name = models.CharField(max_length=100, primary_key=True)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)
