import type { SqlEffect } from '@openshell/policy';
import { encodingIsSafe, encodingIsUtf8 } from './encodings.ts';

/** A change of a run-time setting, by a statement or at the start of the connection. */
export interface SettingChange {
  /** Any case, as the server takes it. */
  readonly name: string;
  /** Undefined: back to what it was at the start. */
  readonly value: string | undefined;
}

export type SettingVerdict =
  | { readonly kind: 'effect'; readonly effect: SqlEffect; readonly encoding?: 'utf8' | 'other' }
  | { readonly kind: 'malformed'; readonly reason: string };

/** Asking for them is asking to write. */
const READ_ONLY_MODE = new Set(['transaction_read_only', 'default_transaction_read_only']);
const ON = new Set(['on', 'true', 'yes', '1']);

/** Who one is, what is recorded, which code is loaded, which protections are in force. */
const OTHER = new Set([
  ...['role', 'session_authorization', 'session_replication_role', 'row_security', 'event_triggers'],
  ...['allow_system_table_mods', 'zero_damaged_pages', 'ignore_checksum_failure', 'ignore_system_indexes'],
  ...[
    'dynamic_library_path',
    'extension_control_path',
    'local_preload_libraries',
    'session_preload_libraries',
  ],
  ...['lo_compat_privileges', 'restrict_nonsystem_relation_kind', 'createrole_self_grant'],
  ...['jit_provider', 'allow_alter_system', 'update_process_title', 'temp_tablespaces', 'default_tablespace'],
]);
const OTHER_PREFIXES = ['log_', 'debug_', 'pgaudit.'];

/** What a change of a setting can do. `tableRules`: rules name tables, so what a name means has to stay. */
export function judgeSetting({ name, value }: SettingChange, tableRules: boolean): SettingVerdict {
  const setting = name.toLowerCase();
  const text = value?.toLowerCase();
  if (READ_ONLY_MODE.has(setting)) return effect(text === undefined || ON.has(text) ? 'read' : 'write');
  if (setting === 'standard_conforming_strings' && text !== undefined && !ON.has(text)) {
    return malformed(
      'it turns standard_conforming_strings off, so that later statements would have two readings',
    );
  }
  if (setting === 'client_encoding' && value !== undefined) {
    if (!encodingIsSafe(value))
      return malformed(`statements in the encoding ${shown(value)} have two readings`);
    return { kind: 'effect', effect: 'read', encoding: encodingIsUtf8(value) ? 'utf8' : 'other' };
  }
  if (setting === 'search_path' && tableRules) {
    return malformed('it changes search_path, on which depends what the tables are that rules name');
  }
  const special = OTHER.has(setting) || OTHER_PREFIXES.some((prefix) => setting.startsWith(prefix));
  return effect(special ? 'other' : 'read');
}

const effect = (what: SqlEffect): SettingVerdict => ({ kind: 'effect', effect: what });
const malformed = (reason: string): SettingVerdict => ({ kind: 'malformed', reason });

/** What a client wrote, made harmless for a message. */
export const shown = (text: string): string =>
  JSON.stringify(text.replace(/[^\x20-\x7e]/g, '?').slice(0, 64));
