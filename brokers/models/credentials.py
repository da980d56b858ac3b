"""Secrets of connections, encrypted; and who used them when."""

from django.db import models


class CredentialKey(models.Model):
    """A firm's data key, encrypted by the master key that ``master_key_id`` names."""

    id = models.BigAutoField(primary_key=True)
    master_key_id = models.CharField(max_length=64)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "credential_key"

    def __str__(self) -> str:
        return f"data key {self.id} under {self.master_key_id}"


class Credential(models.Model):
    """One secret value of a connection. The value leaves the database encrypted only."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        "brokers.BrokerConnection", on_delete=models.CASCADE, related_name="credentials"
    )
    name = models.CharField(max_length=32)
    key = models.ForeignKey(CredentialKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=120)

    class Meta:
        db_table = "credential"
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "name"], name="credential_once_per_connection"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.connection_id}"


class CredentialUse(models.Model):
    """One time somebody kept, opened or revoked a connection's credentials. Append-only."""

    class Deed(models.TextChoices):
        """What was done."""

        KEPT = "KEPT"
        OPENED = "OPENED"
        REVOKED = "REVOKED"

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        "brokers.BrokerConnection", on_delete=models.CASCADE, related_name="credential_uses"
    )
    deed = models.CharField(max_length=8, choices=Deed.choices)
    by = models.CharField(max_length=120)
    at = models.DateTimeField()

    class Meta:
        db_table = "credential_use"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.deed} by {self.by}"
