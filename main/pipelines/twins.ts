// twin.*: looks for near duplicates among everything that is kept, shows them in pairs, and lets the better ones stay. Only verdicts take a
// sample away, so every removal can be undone.

import { AppError } from '../contract/errors.ts'
import type { CandidateId, ChunkId, SeedId } from '../contract/ids.ts'
import type { TwinPair } from '../contract/twins.ts'
import { chooseLosers } from '../domain/keep-best.ts'
import { type FoundTwin, type KeptText, searchTwins, type TwinThresholds } from '../domain/twin-search.ts'
import { wordsOf } from '../domain/text-tokens.ts'
import { findChunk } from '../store/documents.ts'
import { listLeaves, listSeeds } from '../store/taxonomy.ts'
import {
  beginTwinSearch,
  findTwinPair,
  findTwinSide,
  finishTwinSearch,
  insertTwins,
  latestTwinSearch,
  listOpenTwins,
  pageTwins,
  tellApart,
} from '../store/twins.ts'
import { insertVerdict, listAcceptedSamples } from '../store/verdicts.ts'
import { Embedding, findEmbedder, meantBy } from './embedding.ts'
import type { Handlers, JobContext, JobHandler, Lab } from './lab.ts'

type TwinMethods = 'twin.find' | 'twin.list' | 'twin.settle' | 'twin.keepBest'

/** The search yields the event loop at least this often. */
const breathMs = 20
/** Verdicts between two breaths. */
const verdictsPerTurn = 100

export function twinMethods(lab: Lab): Handlers<TwinMethods> {
  return {
    'twin.find': (thresholds) => {
      const title = 'Look for near duplicates'
      return { jobId: lab.jobs.start({ kind: 'twins', title, subject: 'twins', parameters: thresholds }).id }
    },
    'twin.list': (page) => {
      const { db } = lab.project()
      return { search: latestTwinSearch(db), ...pageTwins(db, page) }
    },
    'twin.settle': ({ number, keep }) => {
      const pair = findTwinPair(lab.project().db, number)
      if (!pair) throw noPair(number)
      settle(lab, pair, keep)
      lab.emit({ kind: 'changed', what: 'samples' })
      return null
    },
    'twin.keepBest': () => keepBest(lab),
  }
}

function settle(lab: Lab, pair: TwinPair, keep: 'one' | 'other' | 'both'): void {
  const { db } = lab.project()
  if (keep === 'both') return tellApart(db, { one: pair.one.id, other: pair.other.id })
  const [stays, goes] = keep === 'one' ? [pair.one, pair.other] : [pair.other, pair.one]
  if (goes.isSeed) throw seedStays()
  const candidateId = goes.id as CandidateId
  const reason = `Near duplicate of ${stays.id}, which was kept.`
  insertVerdict(db, { candidateId, kind: 'reject', author: 'human', reason, twinOf: stays.id }, lab.now())
}

/** Rejects, by rule, every sample that has a better twin among samples. Seeds are not trained on, so who resembles one repeats nothing. */
async function keepBest(lab: Lab): Promise<{ rejectedCount: number }> {
  const { db } = lab.project()
  const open = listOpenTwins(db)
  const ids = [...new Set(open.flatMap(({ one, other }) => [one, other]))]
  const rivals = ids.flatMap((id, number) => {
    const { isSeed, isReviewed, score, answer } = findTwinSide(db, id)
    return isSeed ? [] : [{ id, isReviewed, score, answerLength: answer.length, number }]
  })
  const samples = new Set(rivals.map(({ id }) => id))
  const pairs = open.filter(({ one, other }) => samples.has(one) && samples.has(other))
  const losers = chooseLosers(rivals, pairs)
  for (const [at, { id, keptId }] of losers.entries()) {
    const reason = `Near duplicate of ${keptId}, which is the better one.`
    insertVerdict(
      db,
      { candidateId: id as CandidateId, kind: 'reject', author: 'rule', reason, twinOf: keptId },
      lab.now(),
    )
    if (at % verdictsPerTurn === verdictsPerTurn - 1) await breathe()
  }
  if (losers.length > 0) lab.emit({ kind: 'changed', what: 'samples' })
  return { rejectedCount: losers.length }
}

/** Compares everything that is kept now. Begun anew when resumed; vectors made before are there already. */
export function twinsHandler(lab: Lab): JobHandler {
  return async (context) => {
    const thresholds = context.parameters as TwinThresholds
    const { db } = lab.project()
    const texts = collectKept(lab)
    const embedder = findEmbedder(lab)
    const search = {
      wordsThreshold: thresholds.words,
      meaningThreshold: thresholds.meaning,
      embedderName: embedder?.name ?? null,
      textCount: texts.length,
      createdAtMs: lab.now(),
    }
    if (embedder) await addVectors(texts, new Embedding(lab, embedder), context)
    if (context.signal.aborted) return
    beginTwinSearch(db, context.job.id, search)
    await compareAll(lab, context, { texts, thresholds })
    if (context.signal.aborted) return
    finishTwinSearch(db, context.job.id)
    lab.emit({ kind: 'changed', what: 'samples' })
  }
}

async function addVectors(texts: KeptText[], embedding: Embedding, context: JobContext): Promise<void> {
  const label = `Reading meanings with ${embedding.name}`
  const report = (done: number) =>
    context.progress({
      done,
      total: texts.length,
      label,
      ratePerSecond: null,
      etaSeconds: null,
      stage: { index: 0, count: 2, name: 'meanings' },
    })
  report(0)
  try {
    const vectors = await embedding.vectorsOf(texts.map(meantBy), { signal: context.signal, onDone: report })
    for (const [at, vector] of vectors.entries()) (texts[at] as KeptText).vector = vector
  } finally {
    await embedding.dispose()
  }
}

async function compareAll(
  lab: Lab,
  context: JobContext,
  { texts, thresholds }: { texts: KeptText[]; thresholds: TwinThresholds },
): Promise<void> {
  const { db } = lab.project()
  const total = texts.length
  let done = 0
  let found: FoundTwin[] = []
  let breathedAtMs = performance.now()
  for (const twins of searchTwins(texts, thresholds)) {
    done += 1
    found.push(...twins)
    if (performance.now() - breathedAtMs < breathMs) continue
    insertTwins(db, found)
    found = []
    context.progress({ done, total, label: 'Comparing samples', ratePerSecond: null, etaSeconds: null })
    await breathe()
    if (context.signal.aborted) return
    breathedAtMs = performance.now()
  }
  insertTwins(db, found)
  context.progress({ done, total, label: 'Compared', ratePerSecond: null, etaSeconds: null })
}

const breathe = () => new Promise((resolve) => setImmediate(resolve))

/** Seeds of every leaf, then accepted samples in the order they were made. Of knowledge only question and answer are compared. */
function collectKept(lab: Lab): KeptText[] {
  const { db } = lab.project()
  const seeds = listLeaves(db).flatMap(({ path, branch }) =>
    listSeeds(db, path).map((seed): KeptText => {
      const { id, question, answer } = seed
      return {
        id: id as SeedId,
        isSeed: true,
        context: branch === 'knowledge' ? '' : (seed.context ?? ''),
        question,
        answer,
        sourceWords: null,
        vector: null,
      }
    }),
  )
  const wordsOfChunk = chunkWords(lab)
  const samples = listAcceptedSamples(db).map(({ id, branch, chunkId, context, question, answer }): KeptText => {
    const texts = { context: branch === 'knowledge' ? '' : context, question, answer }
    return { id, isSeed: false, ...texts, sourceWords: wordsOfChunk(chunkId), vector: null }
  })
  return [...seeds, ...samples]
}

/** The words of a chunk, read once. */
function chunkWords(lab: Lab): (id: ChunkId | null) => ReadonlySet<string> | null {
  const known = new Map<ChunkId, ReadonlySet<string>>()
  return (id) => {
    if (id === null) return null
    const words = known.get(id) ?? new Set(wordsOf(findChunk(lab.project().db, id)?.text ?? ''))
    known.set(id, words)
    return words
  }
}

function noPair(number: number): AppError {
  return new AppError({
    code: 'not-found',
    message: `There is no pair ${number}.`,
    remedy: 'Refresh the list, or look for near duplicates again.',
  })
}
function seedStays(): AppError {
  return new AppError({
    code: 'bad-input',
    message: 'The one to go is a seed, which only its author takes away.',
    remedy: 'Keep the seed, or remove it on the Taxonomy screen.',
  })
}
