// Short messages at the edge of the window: what failed and what to do, or what was done.

import { notifications } from '@mantine/notifications'
import { createElement } from 'react'
import type { AppError } from '../../main/contract/errors.ts'
import { i18n } from '../i18n.ts'

/** Shows a failure with its remedy; stays long enough to be read. */
export function showFailure(error: AppError): void {
  if (error.code === 'cancelled') return
  notifications.show({
    id: `${error.code} ${error.message}`,
    title: error.message,
    message: error.remedy,
    color: 'red.9',
    autoClose: 12_000,
    closeButtonProps: { 'aria-label': i18n.t('close') },
  })
}

/** Says that something was done, and offers the way back where there is one. */
export function showDone(message: string, undo?: { label: string; run(): void }): void {
  const id = `done ${message}`
  const takeBack = () => {
    notifications.hide(id)
    undo?.run()
  }
  const button = undo && createElement('button', { type: 'button', className: 'undo', onClick: takeBack }, undo.label)
  notifications.show({
    id,
    message: button
      ? createElement('div', { className: 'row-wrap' }, createElement('span', null, message), button)
      : message,
    autoClose: undo ? 12_000 : 4000,
    closeButtonProps: { 'aria-label': i18n.t('close') },
  })
}
