import { fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DocumentSummary, LeafSummary } from '../../../main/contract/taxonomy.ts'
import { setLanguage } from '../../../renderer/i18n.ts'
import { CurateView } from '../../../renderer/views/curate/curate-view.tsx'
import { DocumentList } from '../../../renderer/views/documents/document-list.tsx'
import { TaxonomyTree } from '../../../renderer/views/taxonomy/taxonomy-tree.tsx'
import { draw } from './draw.tsx'
import { sampleOf } from './samples.ts'
import { ScriptedEngine } from './scripted-engine.ts'

beforeAll(() => setLanguage('en'))
// Without a layout nothing is in view; rows are drawn from their estimated height.
beforeEach(() => {
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, value: 600 })
  Object.defineProperty(HTMLElement.prototype, 'clientWidth', { configurable: true, value: 340 })
})

/** More rows than fit into 600 pixels with what is drawn around them; any list that draws what is not shown has thousands. */
const mostDrawn = 80
const count = 20_000

describe('a list of tens of thousands', () => {
  it('of leaves draws what is shown, and looks at no other leaf when the cursor moves', async () => {
    let reads = 0
    const leaves = Array.from({ length: count }, (_, at) => {
      const leaf = {
        path: `knowledge/area_${at % 40}/leaf_${at}`,
        branch: 'knowledge',
        datasetRowCount: 0,
        wantedCount: 0,
        seedCount: 5,
        change: 'new',
        problems: [],
        get acceptedCount() {
          reads += 1
          return 2
        },
      }
      return leaf as unknown as LeafSummary
    })
    draw(new ScriptedEngine(), <TaxonomyTree leaves={leaves} opened="" />)
    await screen.findByRole('tree')
    expect(reads).toBeGreaterThan(count)
    reads = 0
    for (let step = 0; step < 20; step++) fireEvent.keyDown(screen.getByRole('tree'), { key: 'ArrowDown' })
    fireEvent.scroll(screen.getByRole('tree'), { target: { scrollTop: 100_000 } })
    await waitFor(() => expect(screen.getAllByRole('treeitem').length).toBeGreaterThan(10))
    expect(screen.getAllByRole('treeitem').length).toBeLessThan(mostDrawn)
    expect(reads).toBeLessThan(count / 10)
  })
  it('of samples fetches and draws what is shown, near and far', async () => {
    const engine = new ScriptedEngine({
      'taxonomy.paths': () => [],
      'sample.list': ({ offset = 0, limit = 100 }) => ({
        rows: Array.from({ length: limit }, (_, at) => sampleOf(offset + at)),
        total: 10 * count,
      }),
      'sample.get': () => ({ ...sampleOf(0), stages: [], chunkText: '', chunkPages: null, duplicateOf: null }),
    })
    const { curation } = draw(engine, <CurateView />)
    await waitFor(() => expect(screen.getAllByRole('option').length).toBeGreaterThan(10))
    fireEvent.scroll(screen.getByTestId('sample-list'), { target: { scrollTop: 30 * 150_000 } })
    await screen.findByText('Question 150000?')
    expect(screen.getAllByRole('option').length).toBeLessThan(mostDrawn)
    expect(engine.asked('sample.list').length).toBeLessThan(5)
    expect(Object.keys(curation.store.getState().pages).length).toBeLessThan(5)
  })
  it('of documents draws what is shown', async () => {
    const documents = Array.from({ length: count }, (_, at) => {
      const fields = { id: `document-${at}`, name: `book-${at}.md`, leaf: 'knowledge/a', notes: [], pageCount: null }
      return { ...fields, type: 'markdown', sizeBytes: 10, chunkCount: 1 } as unknown as DocumentSummary
    })
    draw(new ScriptedEngine(), <DocumentList documents={documents} opened={documents[0]} onOpen={() => undefined} />)
    await screen.findByText('book-0.md')
    expect(screen.getAllByRole('button').length).toBeLessThan(mostDrawn)
  })
})
