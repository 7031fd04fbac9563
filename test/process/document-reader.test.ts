// The document reader as a process: every format through it, and every file made to bring it down.

import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AppError } from '../../main/contract/errors.ts'
import { createDocumentReader, type DocumentReader } from '../../main/compute/document-reader.ts'
import { linesAt, type PlacedText, writePdf } from '../support/pdf-writer.ts'
import { writeDocx, writeZip } from '../support/zip-writer.ts'

let reader: DocumentReader
beforeAll(() => {
  reader = createDocumentReader()
})
afterAll(() => reader.close())

const read = (name: string, content: string | Buffer) => reader.read(name, new Uint8Array(Buffer.from(content)))
async function refusal(name: string, content: string | Buffer, by: DocumentReader = reader): Promise<AppError> {
  try {
    await by.read(name, new Uint8Array(Buffer.from(content)))
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(AppError)
    const error = thrown as AppError
    expect([error.code, error.remedy.length > 10]).toEqual(['bad-document', true])
    return error
  }
  throw new Error('nothing was refused')
}

const prose = (words: string, lines = 6) =>
  Array.from({ length: lines }, (_, at) => `${words} goes on in line ${at + 1} of it`)

describe('formats', () => {
  test('text and Markdown stay as they are', async () => {
    expect(await read('a.md', '\ufeff# A\n\ntext\n')).toEqual({
      type: 'markdown',
      text: '# A\n\ntext\n',
      pageStarts: null,
      notes: [],
    })
    const latin = await read('a.txt', Buffer.from('Der Vogel fliegt über die Straße.', 'latin1'))
    expect(latin).toMatchObject({ type: 'text', text: 'Der Vogel fliegt über die Straße.' })
    expect(latin.notes[0]).toMatch(/read as Latin-1/)
  })

  test('HTML keeps headings, lists, tables and code, and leaves menus, scripts and addresses out', async () => {
    const { text } = await read(
      'page.html',
      `<!doctype html><html><head><title>x</title><style>p{}</style></head><body><nav><a href=/>Home</a></nav>
       <form><input value=x><main><h1>Birds</h1><p>The <b>wren</b> is <a href="http://x.example/">small</a>.<br>It sings.</p><ul><li>one<li>two</ul>
       <table><tr><th>Name<th>Wings</tr><tr><td>wren | king<td>2</tr></table><pre><code>a
  b</code></pre><script>alert(1)</script><p># no heading</p></main></body></html>`,
    )
    expect(text).toBe(
      [
        '# Birds\n',
        'The **wren** is small.\nIt sings.\n',
        '- one\n- two\n',
        '| Name | Wings |\n| --- | --- |\n| wren \\| king | 2 |\n',
        '```\na\n  b\n```\n',
        '\\# no heading\n',
      ].join('\n'),
    )
  })

  test('HTML in the encoding it declares', async () => {
    const page = Buffer.concat([
      Buffer.from('<meta charset=Shift_JIS><p>'),
      Buffer.from('93fa967b', 'hex'),
      Buffer.from('</p>'),
    ])
    expect((await read('page.htm', page)).text).toBe('日本\n')
  })

  test('Word files keep headings and tables', async () => {
    const file = writeDocx([
      '# Moor',
      'A moor is wet.',
      [
        ['Animal', 'Legs'],
        ['mefel', '6'],
      ],
      '## Plants',
      'Moss <grows> here.',
    ])
    expect(await read('moor.docx', file)).toEqual({
      type: 'docx',
      text: '# Moor\n\nA moor is wet.\n\n| Animal | Legs |\n| --- | --- |\n| mefel | 6 |\n\n## Plants\n\nMoss <grows> here.\n',
      pageStarts: null,
      notes: [],
    })
  })

  test('CSV becomes one table, whatever parts its cells', async () => {
    const tables = await Promise.all(
      ['name,legs\n"wren, small",2\n', 'name;legs\nwren, small;2\n', 'name\tlegs\nwren, small\t2\n'].map((text) =>
        read('a.csv', text),
      ),
    )
    for (const { text } of tables) expect(text).toBe('| name | legs |\n| --- | --- |\n| wren, small | 2 |\n')
    const ragged = await read('a.csv', 'a,b\n1\n1,2,3\n"x\n|y",2\n')
    expect(ragged.text).toBe('| a | b |  |\n| --- | --- | --- |\n| 1 |  |  |\n| 1 | 2 | 3 |\n| x \\|y | 2 |  |\n')
    expect(ragged.notes[0]).toMatch(/between 1 and 3 cells/)
    expect((await refusal('a.csv', 'a,b\n"open,2\n')).message).toMatch(/quotation mark is not closed/)
  })
})

describe('PDF', () => {
  const footer = (page: number): PlacedText => ({ x: 280, y: 810, text: `Page ${page} of 4`, size: 9 })
  const header: PlacedText = { x: 72, y: 40, text: 'The Moor Quarterly', size: 9 }

  test('headings, paragraphs over pages, cut words, and furniture left out', async () => {
    const pages = [
      [
        { x: 72, y: 90, text: 'The wren', size: 20 },
        ...linesAt(
          [72, 130],
          [
            'A wren is a small bird that sings and',
            'lives in hedges; its song is surpris-',
            'ingly loud for its size. It feeds on',
          ],
        ),
      ],
      [...linesAt([72, 90], ['insects and spiders all year.']), ...linesAt([72, 140], ['- one', '- two'])],
      linesAt([72, 90], ['Surprisingly few people have seen it.']),
      linesAt([72, 90], ['The last page says nothing new.']),
    ].map((texts, at) => [header, ...texts, footer(at + 1)])
    const { text, pageStarts, notes } = await read('wren.pdf', writePdf(pages))
    expect(text).toBe(
      [
        '# The wren',
        'A wren is a small bird that sings and lives in hedges; its song is surprisingly loud for its size. It feeds on insects and spiders all year.',
        '- one\n- two',
        'Surprisingly few people have seen it.',
        'The last page says nothing new.\n',
      ].join('\n\n'),
    )
    expect(pageStarts?.map((start) => text.slice(start, start + 8))).toEqual([
      '# The wr',
      'insects ',
      'Surprisi',
      'The last',
    ])
    expect(notes).toEqual([])
  })

  test('two columns are read one after the other, what runs across parts them', async () => {
    const page = [
      { x: 72, y: 80, text: 'A title that runs across both of the columns', size: 18 },
      ...linesAt([72, 120], prose('Left column text', 8), { size: 10 }),
      ...linesAt([320, 120], prose('Right column text', 8), { size: 10 }),
    ]
    const { text } = await read('columns.pdf', writePdf([page]))
    const order = [
      text.indexOf('A title'),
      text.indexOf('Left column text goes on in line 8'),
      text.indexOf('Right column text goes on in line 1'),
    ]
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(Math.min(...order)).toBeGreaterThanOrEqual(0)
  })

  test('a page as a browser prints it: justified columns, a table with cells of two lines, code', async () => {
    const { text, pageStarts } = await read(
      'two-columns.pdf',
      readFileSync(new URL('../fixtures/two-columns.pdf', import.meta.url)),
    )
    const inOrder = [
      '# Field notes on the black-capped chickadee\n',
      'Abstract.',
      '## 1 Introduction\n',
      'Paragraph 7.',
      '## 2 Methods\n',
    ]
    const places = [...inOrder, 'Paragraph 14.', '## 3 Results\n'].map((part) => text.indexOf(part))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(places[0]).toBe(0)
    expect(text.match(/its good spatial memory to relocate the caches where it stores food/g)).toHaveLength(14)
    expect(text).toContain(
      [
        '| Species | Length (cm) | Mass (g) | Range |',
        '| --- | --- | --- | --- |',
        '| Black-capped | 12-15 | 9-14 | Canada and the northern United States |',
        '| Carolina | 11.5-13 | 9-12 | Southeast |',
        '| Mountain | 14 | 11 | West |',
      ].join('\n'),
    )
    expect(text).toContain('1. Do this\n2. Then that\n\n```\ncode line one\ncode line two\n```\n')
    expect(pageStarts).toHaveLength(2)
  })

  test('a table whose columns align', async () => {
    const cells = [
      ['Animal', 'Legs', 'Home'],
      ['mefel', '6', 'marsh'],
      ['tomir', '12', ''],
      ['goven', '4', 'river'],
    ]
    const table = cells.flatMap((row, at) =>
      row.map((text, column) => ({ x: 72 + column * 120, y: 200 + at * 16, text })),
    )
    const { text } = await read(
      'table.pdf',
      writePdf([[...linesAt([72, 100], prose('Some words before')), ...table.filter(({ text: cell }) => cell)]]),
    )
    expect(text).toContain(
      '| Animal | Legs | Home |\n| --- | --- | --- |\n| mefel | 6 | marsh |\n| tomir | 12 |  |\n| goven | 4 | river |',
    )
  })

  test('Japanese in a font the file only names', async () => {
    const lines = ['日本語の文書は横に書かれることが多', 'く、行は文の途中で終わります。']
    const { text } = await read('ja.pdf', writePdf([linesAt([72, 100], lines, { font: 'japanese' })]))
    expect(text).toBe('日本語の文書は横に書かれることが多く、行は文の途中で終わります。\n')
  })

  test('a scan, a locked, a cut and a broken file are told apart', async () => {
    const scan = await refusal('scan.pdf', writePdf([[], []]))
    expect([scan.message, scan.remedy]).toEqual([
      expect.stringContaining('no text layer: its 2 pages are pictures'),
      expect.stringContaining('OCR'),
    ])
    const secret = 'a'.repeat(64)
    const lock = `/ID [<${secret}> <${secret}>] /Encrypt << /Filter /Standard /V 1 /R 2 /O <${secret}> /U <${secret}> /P -4 >>`
    expect(
      (await refusal('locked.pdf', writePdf([linesAt([72, 72], prose('Secret'))], { trailer: lock }))).message,
    ).toMatch(/password/)
    const whole = writePdf([linesAt([72, 72], prose('Whole'))])
    expect((await refusal('cut.pdf', whole.subarray(0, whole.length / 2))).message).toMatch(/cut short/)
    expect((await refusal('junk.pdf', '%PDF-1.7\njunk\n%%EOF')).message).toMatch(/damaged/)
  })

  test('pages without text are named', async () => {
    const { notes, pageStarts } = await read(
      'a.pdf',
      writePdf([linesAt([72, 72], prose('First')), [], linesAt([72, 72], prose('Third'))]),
    )
    expect(notes).toEqual(['Pages without text, perhaps pictures: 2.'])
    expect(pageStarts?.[1]).toBe(pageStarts?.[2])
  })
})

describe('other archives', () => {
  test.each([
    ['xl/workbook.xml', /Excel/, /csv/],
    ['ppt/presentation.xml', /PowerPoint/, /PDF/],
    ['META-INF/container.xml', /EPUB/, /html/],
    ['content.xml', /OpenDocument/, /docx/],
    ['notes.txt', /zip archive/, /Unpack/],
  ])('%s', async (member, message, remedy) => {
    const error = await refusal('file.docx', writeZip([{ name: member, content: '<a/>' }]))
    expect([error.message, error.remedy]).toEqual([expect.stringMatching(message), expect.stringMatching(remedy)])
  })

  test('an archive without its end', async () => {
    const whole = writeDocx(['Words.'])
    expect((await refusal('a.docx', whole.subarray(0, -40))).message).toMatch(/cut short/)
  })
})

describe('files made to do damage', () => {
  const zeros = (megabytes: number) => Buffer.alloc(megabytes << 20, 0x20)
  const hosts = () => process.memoryUsage().rss

  test('a zip bomb inside a Word file is refused before it is unpacked', async () => {
    const bomb = writeDocx(['Words.'], [{ name: 'word/header1.xml', content: zeros(200), claimedSize: 100 }])
    expect(bomb.length).toBeLessThan(1 << 20)
    expect((await refusal('bomb.docx', bomb)).message).toMatch(/unpacks to more than 64 MB/)
  })

  test('a PDF that unpacks to gigabytes ends with its reader, and the next document is read all the same', async () => {
    const limited = createDocumentReader({ limits: { memoryBytes: 400 << 20 } })
    try {
      const content = deflateSync(Buffer.concat([Buffer.from('BT /F1 11 Tf '), zeros(900)]))
      const before = hosts()
      const error = await refusal('bomb.pdf', writePdf([[]], { content }), limited)
      expect(error.message).toMatch(/more than 400 MB of memory|made no progress|no text layer/)
      expect(hosts() - before).toBeLessThan(300 << 20)
      expect((await limited.read('a.md', new Uint8Array(Buffer.from('# Fine')))).text).toBe('# Fine')
    } finally {
      limited.close()
    }
  }, 60_000)

  test('elements nested a hundred thousand deep are refused at once', async () => {
    const started = performance.now()
    expect((await refusal('deep.html', `<p>words${'<div><b>'.repeat(50_000)}`)).message).toMatch(/nested too deeply/)
    expect(performance.now() - started).toBeLessThan(5000)
  })

  test('a reader that stands still is ended within its limit', async () => {
    const strict = createDocumentReader({ limits: { stallMs: 300 } })
    try {
      // Unclosed formatting is opened again in every paragraph: quadratic by the standard.
      const html = `<p>${'<b><i><u><s>'.repeat(80)}${'<p>words'.repeat(100_000)}`
      const started = performance.now()
      expect((await refusal('slow.html', html, strict)).message).toMatch(/no progress|nested too deeply|memory/)
      expect(performance.now() - started).toBeLessThan(8000)
    } finally {
      strict.close()
    }
  }, 30_000)

  test('a reader killed from outside costs its document only', async () => {
    await read('a.md', '# A')
    const { pid } = reader
    const big = `<p>${'words and <i>more</i> words. '.repeat(200_000)}</p>`
    const reading = refusal('big.html', big)
    await setTimeout(30)
    process.kill(pid as number, 'SIGKILL')
    expect((await reading).message).toMatch(/its reader ended/)
    expect((await read('b.md', '# B')).text).toBe('# B')
  })

  test('a file of this repository under every wrong name ends as a document or as a refusal', async () => {
    const bytes = readFileSync(new URL('../../docs/overview.png', import.meta.url))
    for (const name of ['a.md', 'a.pdf', 'a.docx', 'a.html', 'a.csv', 'a'])
      expect((await refusal(name, bytes)).message).toContain(`"${name}"`)
  })
})
