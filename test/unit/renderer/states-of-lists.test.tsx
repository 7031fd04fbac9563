import { fireEvent, screen, waitFor } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../main/contract/errors.ts'
import type { Model } from '../../../main/contract/models.ts'
import { ConnectionBar } from '../../../renderer/components/connection-bar.tsx'
import { ModelsView } from '../../../renderer/views/models/models-view.tsx'
import { draw } from './draw.tsx'
import { modelOf } from './samples.ts'
import { latch, ScriptedEngine } from './scripted-engine.ts'

const refusal = new AppError({ code: 'database', message: 'The list cannot be read.', remedy: 'Restart the app.' })

describe('a list', () => {
  it('says that it is loading, then shows what came', async () => {
    const models = latch<Model[]>()
    draw(new ScriptedEngine({ 'model.list': () => models.promise }), <ModelsView subject="" />)
    expect(screen.getByRole('status').textContent).toContain('Loading')
    models.open([modelOf(1)])
    expect(await screen.findByText('Model 1')).toBeTruthy()
  })

  it('says what to do next when it is empty, with the button', async () => {
    draw(new ScriptedEngine({ 'model.list': () => [] }), <ModelsView subject="" />)
    const note = await screen.findByTestId('empty-note')
    fireEvent.click(note.querySelector('button') as HTMLButtonElement)
    expect(location.hash).toBe('#/models/add')
  })

  it('shows what failed with its remedy, and tries again when asked', async () => {
    const answers = [() => Promise.reject(refusal), () => [modelOf(1)]]
    const engine = new ScriptedEngine({ 'model.list': () => (answers.shift() ?? (() => []))() })
    draw(engine, <ModelsView subject="" />)
    const note = await screen.findByRole('alert')
    expect(note.textContent).toContain('The list cannot be read.')
    expect(note.textContent).toContain('Restart the app.')
    await new Promise((resolve) => setTimeout(resolve, 450))
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(await screen.findByText('Model 1')).toBeTruthy()
    expect(screen.queryByRole('alert')).toBeNull()
  })

  it('is fetched again when the engine says that it changed', async () => {
    const lists = [[modelOf(1)], [modelOf(1), modelOf(2)]]
    const engine = new ScriptedEngine({ 'model.list': () => lists.shift() ?? [] })
    draw(engine, <ModelsView subject="" />)
    await screen.findByText('Model 1')
    engine.emit({ kind: 'changed', what: 'models' })
    expect(await screen.findByText('Model 2')).toBeTruthy()
  })

  it('keeps what it shows when a later fetch fails, and says that it failed', async () => {
    const answers = [() => [modelOf(1)], () => Promise.reject(refusal)]
    const engine = new ScriptedEngine({ 'model.list': () => (answers.shift() ?? (() => []))() })
    draw(engine, <ModelsView subject="" />)
    await screen.findByText('Model 1')
    engine.emit({ kind: 'changed', what: 'models' })
    await screen.findByRole('alert')
    expect(screen.getByText('Model 1')).toBeTruthy()
  })
})

describe('a model', () => {
  it('says in words why it cannot play a role', async () => {
    const unfit = modelOf(3, { unfit: { teacher: 'It has no chat template.' } })
    draw(new ScriptedEngine({ 'model.list': () => [unfit] }), <ModelsView subject="model-3" />)
    expect(await screen.findByText('It has no chat template.')).toBeTruthy()
    expect(screen.queryByRole('button', { name: 'Use as teacher' })).toBeNull()
  })

  it('that is refused keeps the dialog open with the reason and the remedy', async () => {
    const bad = new AppError({ code: 'bad-gguf', message: 'This is no GGUF file.', remedy: 'Choose another file.' })
    const engine = new ScriptedEngine({ 'model.list': () => [], 'model.add': () => Promise.reject(bad) })
    draw(engine, <ModelsView subject="add" />)
    fireEvent.change(await screen.findByLabelText('GGUF file'), { target: { value: ' photos/one.png ' } })
    const dialog = await screen.findByRole('dialog')
    fireEvent.submit(dialog.querySelector('form') as HTMLFormElement)
    expect((await screen.findByRole('alert')).textContent).toContain('Choose another file.')
    expect(engine.asked('model.add')).toEqual([{ path: 'photos/one.png' }])
    expect(screen.getByLabelText('GGUF file')).toHaveProperty('value', ' photos/one.png ')
  })
})

describe('the connection', () => {
  it('shows a bar while it is lost and takes it away when it returns', async () => {
    const engine = new ScriptedEngine()
    draw(engine, <ConnectionBar />)
    expect(screen.queryByTestId('connection-lost')).toBeNull()
    engine.changeLink('lost')
    expect(await screen.findByTestId('connection-lost')).toBeTruthy()
    engine.changeLink('open')
    await waitFor(() => expect(screen.queryByTestId('connection-lost')).toBeNull())
  })
})
