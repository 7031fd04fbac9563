// Files held out beside the exams, text by text, and what runs and datasets were checked against.

import type { DatasetId, GenerationId } from '../contract/ids.ts'
import type { DecontaminationHit, DecontaminationReport, HeldOutFile, HeldOutSource } from '../contract/twins.ts'
import type { Database } from './open.ts'

/** Hits a report shows. */
const shownHits = 200

/** Writes a file and its texts; one with the same content is kept as it is and returned instead. */
export function insertHeldOut(
  db: Database,
  file: Omit<HeldOutFile, 'textCount'>,
  texts: readonly string[],
): HeldOutFile {
  return db.transaction(() => {
    const same = db.prepare<[string], { id: string }>('select id from held_out_files where sha256 = ?').get(file.sha256)
    if (!same) {
      db.prepare(
        'insert into held_out_files (id, name, sha256, created_at_ms) values (@id, @name, @sha256, @createdAtMs)',
      ).run(file)
      const insert = db.prepare('insert into held_out_texts (file_id, position, text) values (?, ?, ?)')
      texts.forEach((text, position) => insert.run(file.id, position, text))
    }
    const id = same?.id ?? file.id
    return listHeldOut(db).find((one) => one.id === id) as HeldOutFile
  })()
}

/** In the order they were added. */
export function listHeldOut(db: Database): HeldOutFile[] {
  return db
    .prepare<[], HeldOutFile>(
      `select id, name, sha256, created_at_ms as createdAtMs,
         (select count(*) from held_out_texts where file_id = held_out_files.id) as textCount
       from held_out_files order by created_at_ms, id`,
    )
    .all()
}

/** False when there was none. */
export function deleteHeldOut(db: Database, id: string): boolean {
  return db.prepare('delete from held_out_files where id = ?').run(id).changes > 0
}

export function readHeldOutTexts(db: Database, id: string): string[] {
  return db
    .prepare<[string]>('select text from held_out_texts where file_id = ? order by position')
    .pluck()
    .all(id) as string[]
}

/** Keeps what a run is checked against: the latest start counts. */
export function saveRunSources(db: Database, id: GenerationId, sources: readonly HeldOutSource[]): void {
  db.prepare('update generations set held_out_json = ? where id = ?').run(JSON.stringify(sources), id)
}

/** The report of a run from its candidates' own histories; null when it was made before there were reports. */
export function readRunReport(db: Database, id: GenerationId, runWords: number): DecontaminationReport | null {
  const kept = db.prepare<[string]>('select held_out_json from generations where id = ?').pluck().get(id)
  if (typeof kept !== 'string') return null
  const checked = `from stage_outcomes join candidates on candidates.number = candidate_number
    where stage = 'decontamination' and generation_id = ?`
  const counts = db
    .prepare<[string], { checkedCount: number; hitCount: number | null }>(
      `select count(*) as checkedCount, sum(not passed) as hitCount ${checked}`,
    )
    .get(id)
  const hits = db
    .prepare<[string, number], DecontaminationHit>(
      `select candidates.id as origin, leaf, question, words ${checked} and not passed order by slot limit ?`,
    )
    .all(id, shownHits)
  return {
    sources: JSON.parse(kept) as HeldOutSource[],
    runWords,
    checkedCount: counts?.checkedCount ?? 0,
    hitCount: counts?.hitCount ?? 0,
    hits,
  }
}

export function saveDatasetReport(db: Database, id: DatasetId, report: DecontaminationReport): void {
  const shown = { ...report, hits: report.hits.slice(0, shownHits) }
  db.prepare('update datasets set decontamination_json = ? where id = ?').run(JSON.stringify(shown), id)
}

/** Null for a dataset that was frozen without the check, or before there was one. */
export function readDatasetReport(db: Database, id: DatasetId): DecontaminationReport | null {
  const kept = db.prepare<[string]>('select decontamination_json from datasets where id = ?').pluck().get(id)
  return typeof kept === 'string' ? (JSON.parse(kept) as DecontaminationReport) : null
}
