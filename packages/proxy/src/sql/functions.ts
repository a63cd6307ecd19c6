import type { SqlEffect } from '@openshell/policy';

/**
 * Functions of PostgreSQL and its contributed extensions that do more than compute: by name, whatever schema they are called in.
 * Functions that users made cannot be known; for read-only access the server's read-only transaction stands behind this
 * table (README).
 */
const WRITE = new Set(['nextval', 'setval']);

const OTHER = new Set([
  // Settings: the ways around SET.
  'set_config',
  // Run SQL given as text, or whole tables given by name.
  ...[
    'query_to_xml',
    'query_to_xmlschema',
    'query_to_xml_and_xmlschema',
    'cursor_to_xml',
    'cursor_to_xmlschema',
  ],
  ...['table_to_xml', 'table_to_xmlschema', 'table_to_xml_and_xmlschema'],
  ...['schema_to_xml', 'schema_to_xmlschema', 'schema_to_xml_and_xmlschema'],
  ...['database_to_xml', 'database_to_xmlschema', 'database_to_xml_and_xmlschema'],
  ...[
    'ts_stat',
    'ts_rewrite',
    'crosstab',
    'crosstab2',
    'crosstab3',
    'crosstab4',
    'crosstabn',
    'crosstab_hash',
  ],
  ...['connectby', 'xpath_table', 'create_distributed_table', 'run_command_on_workers', 'get_raw_page'],
  // Files and large objects.
  ...[
    'lo_import',
    'lo_export',
    'lo_create',
    'lo_creat',
    'lo_open',
    'lo_close',
    'lo_unlink',
    'lo_put',
    'lo_get',
  ],
  ...['lo_from_bytea', 'lo_truncate', 'lo_truncate64', 'lo_lseek', 'lo_lseek64', 'lo_tell', 'lo_tell64'],
  ...['loread', 'lowrite', 'lo_manage', 'pg_stat_file', 'pg_current_logfile', 'pg_hba_file_rules'],
  // Other sessions and the server itself.
  ...[
    'pg_terminate_backend',
    'pg_cancel_backend',
    'pg_reload_conf',
    'pg_rotate_logfile',
    'pg_promote',
    'pg_notify',
  ],
  ...['pg_start_backup', 'pg_stop_backup', 'pg_switch_wal', 'pg_switch_xlog', 'pg_create_restore_point'],
  ...['pg_export_snapshot', 'pg_log_backend_memory_contexts', 'pg_import_system_collations'],
  ...[
    'pg_create_physical_replication_slot',
    'pg_create_logical_replication_slot',
    'pg_drop_replication_slot',
  ],
  ...['pg_copy_physical_replication_slot', 'pg_copy_logical_replication_slot', 'pg_extension_config_dump'],
  ...['pg_sync_replication_slots', 'pg_nextoid', 'pg_stop_making_pinned_objects', 'pg_clear_relation_stats'],
  ...[
    'pg_clear_attribute_stats',
    'pg_restore_relation_stats',
    'pg_restore_attribute_stats',
    'postgres_fdw_disconnect',
  ],
  ...[
    'postgres_fdw_disconnect_all',
    'brin_summarize_new_values',
    'brin_summarize_range',
    'brin_desummarize_range',
  ],
  'gin_clean_pending_list',
]);

const OTHER_PREFIXES = [
  ...[
    'dblink',
    'pg_read_',
    'pg_ls_',
    'pg_file_',
    'pg_logical_',
    'pg_replication_',
    'pg_stat_reset',
    'pg_backup_',
  ],
  ...[
    'pg_wal_replay_',
    'pg_xlog_replay_',
    'pg_stat_statements_reset',
    'binary_upgrade_',
    'heap_force_',
    'pg_logdir_',
  ],
];

/** What calling a function can change; undefined when it is not known to change anything. */
export const functionEffect = (name: string): Exclude<SqlEffect, 'read'> | undefined => {
  if (WRITE.has(name)) return 'write';
  return OTHER.has(name) || OTHER_PREFIXES.some((prefix) => name.startsWith(prefix)) ? 'other' : undefined;
};
