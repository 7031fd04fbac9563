// Models of a project and which of them plays which role. A role is played by at most one model. Rows only; files are seen elsewhere.

import type { ModelId } from '../contract/ids.ts'
import type { Model, ModelRole } from '../contract/models.ts'
import type { Database } from './open.ts'

/** A model as it is stored: whether its file is there is asked of the disk each time. */
export type StoredModel = Omit<Model, 'isMissing'>

interface ModelRow {
  id: ModelId
  name: string
  path: string
  size_bytes: number
  sha256: string
  architecture: string
  parameter_count: number
  context_length: number
  vocab_size: number
  file_type: string
  licence: string
  has_chat_template: number
  prompt_pack: 'standard' | 'compact'
  is_demo: number
  origin: string
  unfit_json: string
  roles: string | null
}

const select = `select models.*, (select group_concat(role, ' ') from model_roles where model_id = models.id) as roles from models`

function toModel(row: ModelRow): StoredModel {
  return {
    id: row.id,
    name: row.name,
    path: row.path,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    architecture: row.architecture,
    parameterCount: row.parameter_count,
    contextLength: row.context_length,
    vocabSize: row.vocab_size,
    fileType: row.file_type,
    licence: row.licence,
    hasChatTemplate: row.has_chat_template === 1,
    promptPack: row.prompt_pack,
    isDemo: row.is_demo === 1,
    origin: row.origin,
    roles: (row.roles?.split(' ') ?? []) as ModelRole[],
    unfit: JSON.parse(row.unfit_json) as Model['unfit'],
  }
}

/** In the order they were added. */
export function listModels(db: Database): StoredModel[] {
  return db.prepare<[], ModelRow>(`${select} order by added_at_ms, rowid`).all().map(toModel)
}

export function findModel(db: Database, id: ModelId): StoredModel | undefined {
  const row = db.prepare<[string], ModelRow>(`${select} where id = ?`).get(id)
  return row && toModel(row)
}

export function findModelByPath(db: Database, path: string): StoredModel | undefined {
  const row = db.prepare<[string], ModelRow>(`${select} where path = ?`).get(path)
  return row && toModel(row)
}

/** Writes a model, or what has changed of one that is known by its id. Another model that was at the same path is forgotten. */
export function saveModel(db: Database, model: Omit<StoredModel, 'roles'>, nowMs: number): void {
  db.transaction(() => {
    db.prepare('delete from models where path = ? and id <> ?').run(model.path, model.id)
    const row = {
      ...model,
      hasChatTemplate: model.hasChatTemplate ? 1 : 0,
      isDemo: model.isDemo ? 1 : 0,
      unfitJson: JSON.stringify(model.unfit),
      nowMs,
    }
    db.prepare(
      `insert into models (id, name, path, size_bytes, sha256, architecture, parameter_count, context_length, vocab_size,
         file_type, licence, has_chat_template, prompt_pack, is_demo, origin, unfit_json, added_at_ms)
       values (@id, @name, @path, @sizeBytes, @sha256, @architecture, @parameterCount, @contextLength, @vocabSize,
         @fileType, @licence, @hasChatTemplate, @promptPack, @isDemo, @origin, @unfitJson, @nowMs)
       on conflict (id) do update set name = excluded.name, path = excluded.path, origin = excluded.origin,
         unfit_json = excluded.unfit_json`,
    ).run(row)
  })()
}

export function deleteModel(db: Database, id: ModelId): void {
  db.prepare('delete from models where id = ?').run(id)
}

/** Gives the role to this model; whoever had it loses it. */
export function assignRole(db: Database, role: ModelRole, id: ModelId): void {
  db.prepare(
    'insert into model_roles (role, model_id) values (?, ?) on conflict (role) do update set model_id = excluded.model_id',
  ).run(role, id)
}
