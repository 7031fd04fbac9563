// Byte-level byte-pair encoding as llama.cpp runs it for `tokenizer.ggml.model = gpt2`, `pre = qwen2`: training merges on a small corpus,
// encoding and decoding. Pure. Special tokens are matched first and never merged.

/** llama.cpp's `qwen2` splitting: words keep one leading mark or space, digits stand alone. */
const preTokens =
  /'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/gu

export interface BpeVocabulary {
  /** Token texts in GPT-2's printable byte alphabet (specials verbatim), by id. */
  tokens: string[]
  /** `left right` pairs, most urgent first. */
  merges: string[]
  /** Special token texts; their ids come first. */
  specials: string[]
}

const byteToChar = byteAlphabet()
const charToByte = new Map(byteToChar.map((char, byte) => [char, byte]))

/** GPT-2's bijection from bytes to printable characters. */
export function byteAlphabet(): string[] {
  const isPrintable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  let spare = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : spare++))
}

function toAlphabet(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => byteToChar[byte] ?? '').join('')
}

/** Trains merges until the vocabulary has `size` tokens or no pair occurs `minCount` times. Ties are broken by the pair's text. */
export function trainBpe(
  texts: Iterable<string>,
  options: { size: number; specials: string[]; minCount?: number },
): BpeVocabulary {
  const words = countWords(texts, options.specials)
  const tokens = [...options.specials, ...byteToChar]
  const merges: string[] = []
  while (tokens.length < options.size) {
    const best = mostFrequentPair(words)
    if (!best || best.count < (options.minCount ?? 2)) break
    merges.push(best.pair)
    tokens.push(best.pair.replace(' ', ''))
    const [left = '', right = ''] = best.pair.split(' ')
    for (const word of words) word.parts = mergePair(word.parts, left, right)
  }
  return { tokens, merges, specials: options.specials }
}

interface CountedWord {
  parts: string[]
  count: number
}

function countWords(texts: Iterable<string>, specials: string[]): CountedWord[] {
  const counts = new Map<string, number>()
  for (const text of texts) {
    for (const piece of splitSpecials(text, specials)) {
      if (specials.includes(piece)) continue
      for (const word of piece.match(preTokens) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1)
    }
  }
  return [...counts].map(([word, count]) => ({ parts: [...toAlphabet(word)], count }))
}

function mostFrequentPair(words: CountedWord[]): { pair: string; count: number } | undefined {
  const counts = new Map<string, number>()
  for (const { parts, count } of words) {
    for (let i = 0; i + 1 < parts.length; i++) {
      const pair = `${parts[i]} ${parts[i + 1]}`
      counts.set(pair, (counts.get(pair) ?? 0) + count)
    }
  }
  let best: { pair: string; count: number } | undefined
  for (const [pair, count] of counts) {
    if (!best || count > best.count || (count === best.count && pair < best.pair)) best = { pair, count }
  }
  return best
}

function mergePair(parts: string[], left: string, right: string): string[] {
  const merged: string[] = []
  for (let i = 0; i < parts.length; i++) {
    const isPair = parts[i] === left && parts[i + 1] === right
    merged.push(isPair ? left + right : (parts[i] ?? ''))
    if (isPair) i++
  }
  return merged
}

function splitSpecials(text: string, specials: string[]): string[] {
  if (specials.length === 0) return [text]
  const escaped = specials.map((special) => special.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return text.split(new RegExp(`(${escaped.join('|')})`)).filter((piece) => piece !== '')
}

/** Turns text into token ids and back. Words seen before are kept, so encoding a corpus is fast. */
export class BpeEncoder {
  private readonly vocabulary: BpeVocabulary
  private readonly ids: Map<string, number>
  private readonly ranks: Map<string, number>
  private readonly known = new Map<string, number[]>()

  constructor(vocabulary: BpeVocabulary) {
    this.vocabulary = vocabulary
    this.ids = new Map(vocabulary.tokens.map((token, id) => [token, id]))
    this.ranks = new Map(vocabulary.merges.map((pair, rank) => [pair, rank]))
  }

  /** Special tokens in the text are read as such. */
  encode(text: string): number[] {
    const ids: number[] = []
    for (const piece of splitSpecials(text, this.vocabulary.specials)) {
      const special = this.vocabulary.specials.indexOf(piece)
      if (special >= 0) ids.push(special)
      else for (const word of piece.match(preTokens) ?? []) ids.push(...this.encodeWord(word))
    }
    return ids
  }

  decode(ids: readonly number[]): string {
    const { specials, tokens } = this.vocabulary
    const bytes: number[] = []
    for (const id of ids) {
      if (id < specials.length) bytes.push(...new TextEncoder().encode(tokens[id] ?? ''))
      else for (const char of tokens[id] ?? '') bytes.push(charToByte.get(char) ?? 0)
    }
    return new TextDecoder().decode(Uint8Array.from(bytes))
  }

  private encodeWord(word: string): number[] {
    const seen = this.known.get(word)
    if (seen) return seen
    let parts = [...toAlphabet(word)]
    for (;;) {
      let best = Number.POSITIVE_INFINITY
      let pair = ''
      for (let i = 0; i + 1 < parts.length; i++) {
        const rank = this.ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Number.POSITIVE_INFINITY
        if (rank < best) [best, pair] = [rank, `${parts[i]} ${parts[i + 1]}`]
      }
      if (pair === '') break
      const [left = '', right = ''] = pair.split(' ')
      parts = mergePair(parts, left, right)
    }
    const ids = parts.map((part) => this.ids.get(part) ?? 0)
    if (this.known.size < 100_000) this.known.set(word, ids)
    return ids
  }
}
