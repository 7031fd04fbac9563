// Vectors of texts, by the model that made them. A cache: what is gone is made again.

import type { Database } from './open.ts'

/** Little-endian 32-bit floats, as the database keeps them on every machine. */
export function readVector(db: Database, modelSha256: string, textSha256: string): Float32Array | undefined {
  const blob = db
    .prepare<[string, string], Buffer>('select vector from vectors where model_sha256 = ? and text_sha256 = ?')
    .pluck()
    .get(modelSha256, textSha256) as Buffer | undefined
  if (!blob) return undefined
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  return Float32Array.from({ length: blob.byteLength / 4 }, (_, at) => view.getFloat32(at * 4, true))
}

/** Writes what is not there yet. */
export function saveVectors(
  db: Database,
  modelSha256: string,
  vectors: readonly { textSha256: string; vector: Float32Array }[],
): void {
  const insert = db.prepare('insert or ignore into vectors (model_sha256, text_sha256, vector) values (?, ?, ?)')
  db.transaction(() => {
    for (const { textSha256, vector } of vectors) {
      const blob = Buffer.alloc(vector.length * 4)
      for (const [at, value] of vector.entries()) blob.writeFloatLE(value, at * 4)
      insert.run(modelSha256, textSha256, blob)
    }
  })()
}
