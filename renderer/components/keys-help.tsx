// `?`: the keys of the mounted screen and of the whole window.

import { Kbd, Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useTranslation } from 'react-i18next'
import { useStore } from 'zustand'
import { keyBindings, useKeys } from '../state/keys.ts'

/** Listens for `?` and lists every key. */
export function KeysHelp() {
  const { t } = useTranslation()
  const [isOpen, dialog] = useDisclosure(false)
  const bindings = useStore(keyBindings)
  useKeys([{ keys: ['?'], label: t('keys.help'), run: dialog.open }])
  const shown = Object.values(bindings)
    .flat()
    .filter(({ keys }) => keys.length > 0)
  return (
    <Modal
      opened={isOpen}
      onClose={dialog.close}
      title={t('keys.title')}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <dl className="facts" data-testid="keys-list">
        {[{ keys: ['Ctrl K'], label: t('keys.palette') }, ...shown].map(({ keys, label }) => [
          <dt key={label}>
            {keys.map((key) => (
              <Kbd key={key} mr={4}>
                {key}
              </Kbd>
            ))}
          </dt>,
          <dd key={`${label} text`}>{label}</dd>,
        ])}
      </dl>
    </Modal>
  )
}
