"""The tables that `incidents` made for what is sent out; from here on they belong to this room."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('incidents', '0016_notify')]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[
        migrations.CreateModel(
            name='TargetStatus',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=140, unique=True)),
                ('failures', models.PositiveIntegerField(default=0, help_text='in a row')),
                ('open_until', models.DateTimeField(blank=True, help_text='until then nothing is tried', null=True)),
                ('slot_at', models.DateTimeField(blank=True, help_text='the next message not before', null=True)),
                ('digest_at', models.DateTimeField(blank=True, null=True)),
                ('reason', models.TextField(blank=True, default='')),
                ('succeeded_at', models.DateTimeField(blank=True, null=True)),
                ('failed_at', models.DateTimeField(blank=True, null=True)),
                ('polled_at', models.DateTimeField(blank=True, null=True)),
                ('heard_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='InboundWebhook',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('target', models.CharField(max_length=140)),
                ('received_at', models.DateTimeField()),
                ('headers', models.JSONField(default=dict)),
                ('body', models.BinaryField()),
                ('state', models.CharField(choices=[('new', 'New'), ('done', 'Done'), ('parked', 'Parked'), ('dead', 'Dead')], default='new', max_length=8)),
                ('reason', models.TextField(blank=True, default='')),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'new')), fields=['received_at'], name='heard_waiting')],
            },
        ),
        migrations.CreateModel(
            name='Outbox',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('target', models.CharField(max_length=140)),
                ('object', models.CharField(max_length=80)),
                ('revision', models.PositiveIntegerField(default=1)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('dead', 'Dead')], default='waiting', max_length=8)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('lost', models.PositiveSmallIntegerField(default=0, help_text='workers in a row that never reported back')),
                ('wanted_at', models.DateTimeField(blank=True, help_text='since when this waits', null=True)),
                ('next_at', models.DateTimeField()),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
                ('tried_at', models.DateTimeField(blank=True, null=True)),
                ('reason', models.TextField(blank=True, default='')),
                ('sent_revision', models.PositiveIntegerField(default=0)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('first_at', models.DateTimeField(blank=True, help_text='when the target was first told', null=True)),
                ('key', models.CharField(blank=True, default='', max_length=255)),
                ('url', models.CharField(blank=True, default='', max_length=500)),
                ('sentence', models.JSONField(default=dict)),
                ('memory', models.JSONField(default=dict)),
                ('told', models.JSONField(default=dict)),
                ('preview', models.JSONField(default=list)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['next_at'], name='outbox_waiting'), models.Index(condition=models.Q(('state', 'done'), _negated=True), fields=['target', 'tried_at'], name='outbox_unsent'), models.Index(fields=['target', 'first_at'], name='outbox_first'), models.Index(fields=['object'], name='outbox_object'), models.Index(condition=models.Q(('preview', []), ('state', 'done'), _negated=True), fields=['wanted_at'], name='outbox_shown')],
                'constraints': [models.UniqueConstraint(fields=('target', 'object'), name='one_row_per_object')],
            },
        ),
        migrations.CreateModel(
            name='RequestCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('target', models.CharField(max_length=140)),
                ('code', models.PositiveSmallIntegerField()),
                ('count', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('target', 'code'), name='one_count')],
            },
        ),
        migrations.CreateModel(
            name='AppliedTicketEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('target', models.CharField(max_length=140)),
                ('marker', models.CharField(max_length=200)),
                ('verb', models.CharField(max_length=20)),
                ('by', models.CharField(max_length=150)),
                ('at', models.DateTimeField()),
                ('value', models.CharField(blank=True, default='', max_length=200)),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ticket_events', to='incidents.incident')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('target', 'marker'), name='said_once')],
            },
        ),
    ]),
        migrations.RenameField('outbox', 'told', 'last_sent'),
        migrations.RenameField('targetstatus', 'heard_at', 'event_at'),
    ]
