from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):

    dependencies = [
        ("tenants", "0004_what_a_template_is_made_from"),
    ]

    operations = [
        migrations.CreateModel(
            name="DueWork",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("schema_name", models.CharField(max_length=63)),
                ("job", models.CharField(max_length=32)),
                ("due_at", models.DateTimeField()),
                ("woken_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("schema_name", "job"), name="tenants_duework_once")],
            },
        ),
        migrations.AddField(
            model_name="firmstanding",
            name="next_at",
            field=models.DateTimeField(db_default=Now()),
        ),
    ]
