// A project of thousands of leaves and hundreds of thousands of candidates for bench-scale, through the store's own functions: words
// with the frequencies of a language, one leaf in ten in Japanese, a third of the candidates dropped, some looked at by a person. The
// same seed makes the same project. Writes do not wait for the disk: what is measured is made later.

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { StageName, StageOutcome } from '../main/contract/generation.ts'
import type { CandidateId, GenerationId, JobId, LeafPath, ModelId } from '../main/contract/ids.ts'
import { type Branch, branches } from '../main/contract/taxonomy.ts'
import { branchOf } from '../main/domain/leaf-path.ts'
import { createRandom, type Random } from '../main/domain/random.ts'
import { keepRunContents } from '../main/store/leaf-contents.ts'
import { saveRevised } from '../main/store/leaf-revisions.ts'
import { saveDocument } from '../main/store/documents.ts'
import { type FinishedCandidate, insertCandidates, insertGeneration } from '../main/store/generation.ts'
import { allMigrations } from '../main/store/migrations/all.ts'
import { type Database, openDatabase } from '../main/store/open.ts'
import { createProject, projectFolder } from '../main/store/projects.ts'
import { insertVerdict } from '../main/store/verdicts.ts'

export interface ProjectSize {
  leaves: number
  candidates: number
}

const runs = 4
const teacherId = 'model-bench' as ModelId
/** Far from now, so that nothing in the window says "just now". */
const startMs = 1_780_000_000_000

/** Makes the project in a data folder and returns its id. */
export function makeScaleProject(dataDir: string, { leaves, candidates }: ProjectSize): string {
  const id = createProject(dataDir, { name: `${leaves} leaves`, isDemo: false, nowMs: startMs })
  const db = openDatabase(join(projectFolder(dataDir, id), 'project.sqlite'), allMigrations)
  try {
    db.pragma('synchronous = OFF')
    const words = createWords(createRandom('bench-scale'))
    const paths = makePaths(leaves, words)
    db.transaction(() => {
      for (const path of paths) makeLeaf(db, path, words)
    })()
    for (let run = 0; run < runs; run++) makeRun(db, { run, paths, candidates: Math.round(candidates / runs) }, words)
    judgeSome(db, candidates)
    db.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    db.close()
  }
  return id
}

interface Words {
  random: Random
  /** A sentence of about so many words. */
  say(count: number, isJapanese?: boolean): string
  name(): string
}

/** A vocabulary of made-up words; how often one comes falls with its rank, as in every language. */
function createWords(random: Random): Words {
  const syllables =
    'ba be do fa gi ha ke la lo ma mi na no pa ra re ri sa se ta te to va vi ye an en in on er al est'.split(' ')
  const small = 'the of and to a in is that it for as with was on by'.split(' ')
  const made = Array.from({ length: 8000 }, () => {
    const count = 1 + random.int(4)
    return Array.from({ length: count + 1 }, () => random.pick(syllables)).join('')
  })
  const vocabulary = [...small, ...made]
  const kana = [...'あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん']
  const kanji = Array.from({ length: 900 }, (_, at) => String.fromCodePoint(0x4e00 + at * 7))
  const ranked = (length: number) => Math.floor(length ** random.next()) - 1
  const japanese = (count: number) =>
    Array.from({ length: count }, () => (random.next() < 0.6 ? random.pick(kana) : kanji[ranked(kanji.length)])).join(
      '',
    )
  return {
    random,
    name: () => made[random.int(made.length)] ?? 'mira',
    say(count, isJapanese = false) {
      if (isJapanese) return `${japanese(count * 2)}。`
      const said = Array.from({ length: count }, () => vocabulary[ranked(vocabulary.length)] ?? 'the').join(' ')
      return `${said.charAt(0).toUpperCase()}${said.slice(1)}.`
    },
  }
}

/** Leaves in areas and topics, most of them knowledge, as taxonomies are. */
function makePaths(count: number, words: Words): LeafPath[] {
  const paths = new Set<string>()
  const places = Array.from({ length: Math.ceil(count / 20) }, (_, at) => {
    const branch = branches[at % 10 < 6 ? 0 : at % 10 < 8 ? 1 : 2]
    return `${branch}/area_${at % 23}_${words.name()}/${words.name()}_${at}`
  })
  while (paths.size < count) paths.add(`${words.random.pick(places)}/${words.name()}_${paths.size}`)
  return [...paths].sort() as LeafPath[]
}

const isJapanese = (path: string) => path.length % 10 === 0

function makeLeaf(db: Database, path: LeafPath, words: Words): void {
  const branch = branchOf(path) as Branch
  const isKnowledge = branch === 'knowledge'
  const seed = () => ({
    question: words.say(12, isJapanese(path)),
    answer: words.say(30, isJapanese(path)),
    ...(isKnowledge && { context: words.say(60, isJapanese(path)) }),
  })
  saveRevised(
    db,
    {
      path,
      branch,
      createdBy: 'bench',
      taskDescription: isKnowledge ? '' : words.say(9),
      domain: isKnowledge ? words.name() : '',
      documentOutline: isKnowledge ? words.say(9) : '',
      documentSource: null,
      seeds: Array.from({ length: 5 }, seed),
      persona: 'precise',
      language: isJapanese(path) ? 'ja' : 'en',
      attribution: '',
      sourceText: null,
      isSourceCurrent: true,
      publicFileSha256: null,
      problems: [],
    },
    { act: 'imported', nowMs: startMs },
  )
  if (!isKnowledge) return
  const sha256 = createHash('sha256').update(path).digest('hex')
  const file = { type: 'markdown', sha256, sizeBytes: 4000, original: null, pageStarts: null, notes: [] } as const
  saveDocument(db, { leaf: path, name: `${words.name()}.md`, ...file, notes: [] }, startMs)
}

const drops: readonly StageName[] = ['knowledge-faithful', 'knowledge-relevant', 'skill-pair-judge', 'near-duplicate']

function makeRun(
  db: Database,
  { run, paths, candidates }: { run: number; paths: LeafPath[]; candidates: number },
  words: Words,
): void {
  const id = `generation-${run}` as GenerationId
  const quota = Math.ceil(candidates / paths.length)
  const thresholds = { minPairGrade: 2, nearDuplicateRougeL: 0.7 }
  const leaves = paths.map((leaf) => ({ leaf, quota }))
  const plan = { teacherId, leaves, seed: run, parallel: 4, maxAttemptsFactor: 4, thresholds }
  const shares = paths.map((leaf, position) => ({
    leaf,
    quota,
    position,
    firstSlot: position * quota,
    maxAttempts: quota,
  }))
  insertGeneration(
    db,
    { id, jobId: `job-${run}` as JobId, plan, teacherSha256: 'bench', createdAtMs: startMs + run },
    shares,
  )
  keepRunContents(db, id, paths)
  let left = candidates
  for (const { leaf, position, firstSlot } of shares) {
    const count = Math.min(quota, left)
    left -= count
    const made = Array.from({ length: count }, (_, at) => makeCandidate({ id, leaf, slot: firstSlot + at }, words))
    insertCandidates(db, id, { position, candidates: made, calls: 4 * count, parseFailures: 0 })
  }
}

function makeCandidate(
  { id, leaf, slot }: { id: GenerationId; leaf: LeafPath; slot: number },
  words: Words,
): FinishedCandidate {
  const { random } = words
  const branch = branchOf(leaf) as Branch
  const isGrounded = branch === 'compositional_skills' && random.next() < 0.5
  const droppedBy = random.next() < 0.35 ? random.pick(drops) : null
  const stage = (name: StageName, passed: boolean): StageOutcome => ({
    stage: name,
    passed,
    words: words.say(12),
    reasoning: '',
    score: passed ? 1 : 0,
    promptSha256: 'bench',
    promptTokens: 400,
    outputTokens: 40,
    durationMs: 90,
    seed: slot,
    temperature: 0.7,
  })
  return {
    id: `${id}-${slot}` as CandidateId,
    generationId: id,
    leaf,
    branch,
    slot,
    seedIds: [],
    chunkId: null,
    context: isGrounded ? words.say(50, isJapanese(leaf)) : '',
    question: words.say(6 + random.int(14), isJapanese(leaf)),
    answer: words.say(15 + random.int(50), isJapanese(leaf)),
    state: droppedBy ? 'dropped' : 'passed',
    droppedBy,
    reason: droppedBy ? words.say(8) : '',
    score: branch === 'knowledge' ? null : 1 + random.int(3),
    teacherId,
    duplicateOf: null,
    createdAtMs: startMs + slot,
    stages: [
      stage('knowledge-qa', true),
      stage('knowledge-faithful', true),
      stage(droppedBy ?? 'knowledge-relevant', !droppedBy),
    ],
  }
}

/** One candidate in twenty was looked at, one of these edited. */
function judgeSome(db: Database, candidates: number): void {
  const ids = db
    .prepare<[], CandidateId>('select id from candidates where number % 20 = 7')
    .pluck()
    .all()
    .slice(0, candidates)
  db.transaction(() => {
    ids.forEach((candidateId, at) => {
      const author = 'human' as const
      if (at % 20 === 0)
        insertVerdict(db, { candidateId, kind: 'edit', author, answer: 'Mended by hand.', reason: '' }, startMs)
      else insertVerdict(db, { candidateId, kind: at % 3 === 0 ? 'reject' : 'accept', author, reason: '' }, startMs)
    })
  })()
}
