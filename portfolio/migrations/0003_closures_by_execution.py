"""What one execution closed is found by its id."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('portfolio', '0002_guards'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='lotclosure',
            index=models.Index(fields=['execution_id'], name='portfolio_closure_by_execution'),
        ),
    ]
