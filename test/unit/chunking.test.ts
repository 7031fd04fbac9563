import { describe, expect, it } from 'vitest'
import { approximateTokens } from '../../main/domain/chunk-ruler.ts'
import { chunkDocument, type DocumentChunk } from '../../main/domain/chunking.ts'
import { findBlocks } from '../../main/domain/markdown-blocks.ts'
import { createRandom, type Random } from '../../main/domain/random.ts'
import { splitSentences, statementsOf } from '../../main/domain/sentences.ts'

const words = (text: string) => text.split(/\s+/).filter(Boolean).length
const sentence = (length: number, start = 'Alpha') =>
  `${[start, ...Array.from({ length: length - 1 }, (_, at) => `word${at}`)].join(' ')}.`

/** What must hold of any chunking. */
function expectSound(
  text: string,
  chunks: readonly DocumentChunk[],
  { maxTokens, countTokens = words }: { maxTokens: number; countTokens?: (text: string) => number },
): void {
  let end = 0
  for (const chunk of chunks) {
    const piece = text.slice(chunk.start, chunk.end)
    expect(chunk.text.endsWith(piece)).toBe(true)
    // What stands before the piece is the header row of the table it begins in.
    const header = chunk.text.slice(0, chunk.text.length - piece.length)
    if (header !== '') expect(header).toMatch(/^[^\n]*\|[^\n]*\n[-|: \t\r]+\n$/)
    if (header !== '') expect(text).toContain(header)
    expect(text.slice(end, chunk.start).trim()).toBe('')
    expect(chunk.text.trim()).toBe(chunk.text)
    expect(chunk.text).not.toBe('')
    expect(chunk.tokenCount).toBe(countTokens(chunk.text))
    expect(chunk.tokenCount).toBeLessThanOrEqual(maxTokens)
    end = chunk.end
  }
  expect(text.slice(end).trim()).toBe('')
}

describe('chunkDocument', () => {
  it('cuts where sections begin and names the headings above', () => {
    const text = `# Birds\n\n${sentence(30)}\n\n## Owls\n\n${sentence(30)}\n\n### Barn owls\n\n${sentence(30)}\n\n## Ducks\n\n${sentence(30)}\n`
    const chunks = chunkDocument(text, { maxTokens: 45, countTokens: words })
    expectSound(text, chunks, { maxTokens: 45 })
    expect(chunks.map((chunk) => chunk.text.split('\n')[0])).toEqual([
      '# Birds',
      '## Owls',
      '### Barn owls',
      '## Ducks',
    ])
    expect(chunks.map((chunk) => chunk.headings)).toEqual([[], ['Birds'], ['Birds', 'Owls'], ['Birds']])
  })
  it('joins small sections rather than making crumbs', () => {
    const text = '# A\n\nOne two.\n\n# B\n\nThree four.\n\n# C\n\nFive six.\n'
    expect(chunkDocument(text, { maxTokens: 100, countTokens: words })).toHaveLength(1)
  })
  it('never ends a chunk with a heading', () => {
    const text = `${sentence(38)}\n\n## Next\n\n${sentence(38)}\n`
    const chunks = chunkDocument(text, { maxTokens: 40, countTokens: words })
    expectSound(text, chunks, { maxTokens: 40 })
    expect(chunks[1]?.text.startsWith('## Next')).toBe(true)
  })
  it('keeps a heading with its text even where both together are too long', () => {
    const text = `## Next one\n\n${Array.from({ length: 8 }, () => sentence(5)).join(' ')}\n`
    const chunks = chunkDocument(text, { maxTokens: 40, countTokens: words })
    expectSound(text, chunks, { maxTokens: 40 })
    expect(chunks[0]?.tokenCount).toBeGreaterThan(30)
    expect(chunks[1]?.headings).toEqual(['Next one'])
  })
  it('keeps a table whole when it fits, and cuts it between rows when it does not', () => {
    const row = (at: number) => `| name${at} | ${at} metres |`
    const table = ['| name | height |', '| --- | --- |', ...Array.from({ length: 6 }, (_, at) => row(at))].join('\n')
    const text = `${sentence(20)}\n\n${table}\n\n${sentence(20)}`
    const whole = chunkDocument(text, { maxTokens: 60, countTokens: words })
    expectSound(text, whole, { maxTokens: 60 })
    expect(whole.some((chunk) => chunk.text.includes(table))).toBe(true)
    const cut = chunkDocument(text, { maxTokens: 20, countTokens: words })
    expectSound(text, cut, { maxTokens: 20 })
    for (const chunk of cut.filter(({ text: raw }) => raw.includes('|'))) expect(chunk.text).toMatch(/^\|[^]*\|$/)
  })
  it('cuts a list between its items, not within their wrapped lines', () => {
    const item = '- *P. a. septentrionalis* lives in the north and\n  in the west of the country.\n'
    const chunks = chunkDocument(item.repeat(12), { maxTokens: 40, countTokens: words })
    expectSound(item.repeat(12), chunks, { maxTokens: 40 })
    for (const chunk of chunks) expect(chunk.text).toMatch(/^- \*P\.[^]*country\.$/)
  })
  it('does not take a # inside code for a heading', () => {
    const text = `Before.\n\n\`\`\`sh\n# not a heading\necho | cat\n\`\`\`\n\nAfter.`
    expect(findBlocks(text).map((block) => block.kind)).toEqual(['paragraph', 'code', 'paragraph'])
  })
  it('reads underlined headings, lists, tables and Windows line ends', () => {
    const text = 'Title\r\n=====\r\n\r\nText.\r\n\r\n- a\r\n- b\r\n\r\nx | y\r\n--|--\r\n1 | 2\r\n'
    expect(findBlocks(text).map((block) => block.kind)).toEqual(['heading', 'paragraph', 'list', 'table'])
    expect(findBlocks(text)[0]).toMatchObject({ level: 1, title: 'Title' })
  })
  it('ends chunks at sentences in Japanese, Chinese, Hindi and Arabic', () => {
    const count = (text: string) => [...text].length
    for (const [line, end] of [
      ['東京は日本の首都です。人口は多いです！本当ですか？', /[。！？]$/],
      ['北京是中国的首都。它很大。', /。$/],
      ['दिल्ली भारत की राजधानी है। यह बड़ा है। ', /।$/],
      ['هل هذا صحيح؟ نعم هذا صحيح. ', /[.؟]$/],
    ] as const) {
      const text = line.repeat(20)
      const chunks = chunkDocument(text, { maxTokens: 60, countTokens: count })
      expectSound(text, chunks, { maxTokens: 60, countTokens: count })
      expect(chunks.length).toBeGreaterThan(3)
      for (const chunk of chunks) expect(chunk.text).toMatch(end)
    }
  })
  it('cuts an endless word between characters, never inside an emoji or an accent', () => {
    const count = (text: string) => text.length
    const text = '👩‍👩‍👧‍👦é'.normalize('NFD').repeat(60)
    const chunks = chunkDocument(text, { maxTokens: 40, countTokens: count })
    expectSound(text, chunks, { maxTokens: 40, countTokens: count })
    for (const chunk of chunks) expect(chunk.text).toMatch(/^(👩‍👩‍👧‍👦|é)/u)
    for (const chunk of chunks) expect(chunk.text).not.toMatch(/^(?:\u200d|\u0301|[\udc00-\udfff])/)
  })
  it('makes no chunk of a blank document and one of a short one', () => {
    expect(chunkDocument(' \n\t\n')).toEqual([])
    expect(chunkDocument('Short.')).toMatchObject([{ text: 'Short.', headings: [], start: 0, end: 6 }])
  })
  it('covers any text in order, within the limit, whatever it is made of', () => {
    const random = createRandom('chunks')
    for (let round = 0; round < 300; round++) {
      const text = randomDocument(random)
      const maxTokens = 20 + random.int(200)
      const chunks = chunkDocument(text, { maxTokens, countTokens: approximateTokens })
      expectSound(text, chunks, { maxTokens, countTokens: approximateTokens })
    }
  })
  it('fills its chunks: on plain prose the mean is above half of the limit', () => {
    const random = createRandom('fill')
    const text = Array.from({ length: 80 }, () => sentence(5 + random.int(20))).join(' ')
    const chunks = chunkDocument(text, { maxTokens: 100, countTokens: words })
    expectSound(text, chunks, { maxTokens: 100 })
    expect(words(text) / chunks.length).toBeGreaterThan(75)
  })
  it('takes many pages of one-letter lines, of one line, or of one word in seconds', () => {
    for (const unit of ['a\n', 'This is one. ', 'x', '- a\n', '字', '# a\n', '| a | b |\n']) {
      const text = unit.repeat(300_000 / unit.length)
      const started = performance.now()
      const chunks = chunkDocument(text)
      expect(chunks.length).toBeGreaterThan(120)
      expect(performance.now() - started, JSON.stringify(unit)).toBeLessThan(20_000)
    }
  })
})

describe('splitSentences', () => {
  const split = (text: string) => splitSentences(text).map(({ start, end }) => text.slice(start, end).trim())
  it('does not end at titles, initials, abbreviations, decimals or line breaks', () => {
    expect(split('Dr. J. Smith weighs 3.5 kg, e.g. on\nMars. He is light! Is he? Yes.')).toEqual([
      'Dr. J. Smith weighs 3.5 kg, e.g. on\nMars.',
      'He is light!',
      'Is he?',
      'Yes.',
    ])
  })
})

function randomDocument(random: Random): string {
  const makers: (() => string)[] = [
    () => `${'#'.repeat(1 + random.int(6))} ${sentence(1 + random.int(5))}`,
    () => Array.from({ length: 1 + random.int(12) }, () => sentence(1 + random.int(30))).join(random.pick([' ', '\n'])),
    () => Array.from({ length: 1 + random.int(30) }, (_, at) => `| ${at} | cell ${random.int(1e6)} |`).join('\n'),
    () => Array.from({ length: 1 + random.int(20) }, () => `- ${sentence(1 + random.int(8))}`).join('\n'),
    () => `\`\`\`\n${sentence(40)}\n\n# x\n\`\`\``,
    () => '漢字かな。'.repeat(1 + random.int(60)),
    () => 'x'.repeat(random.int(2000)),
    () => '---',
    () => `Title\n=====`,
    () => String.fromCodePoint(...Array.from({ length: 50 }, () => 32 + random.int(0x2fff))),
  ]
  return Array.from({ length: 1 + random.int(15) }, () => random.pick(makers)()).join(
    random.pick(['\n', '\n\n', '\r\n\r\n']),
  )
}

describe('statementsOf', () => {
  it('gives each sentence by itself, and a text without any as one', () => {
    expect(statementsOf('It is red.  It costs 3.5 coins.\nDr. Wren made it.', 8)).toEqual([
      'It is red.',
      'It costs 3.5 coins.',
      'Dr. Wren made it.',
    ])
    expect(statementsOf('blue', 8)).toEqual(['blue'])
    expect(statementsOf(' ', 8)).toEqual([''])
  })
  it('keeps all of a long text in at most so many pieces', () => {
    const sentences = Array.from({ length: 21 }, (_, at) => `Fact ${at} holds.`)
    const statements = statementsOf(sentences.join(' '), 8)
    expect(statements.length).toBeLessThanOrEqual(8)
    expect(statements.join(' ')).toBe(sentences.join(' '))
  })
})
