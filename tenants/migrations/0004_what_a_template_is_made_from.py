from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0003_schema_template'),
    ]

    operations = [
        migrations.AddField(
            model_name='schematemplate',
            name='made_from',
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
