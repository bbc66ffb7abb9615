# SPDX-License-Identifier: Apache-2.0
# Help, version, exit codes, and one line for every mistake on the command line.
. "$2/cli/helpers"

works --help
for command in prepare train report evaluate recommend config info export bench; do
    says run/out "^  $command "
done
for command in prepare train report evaluate recommend config info export bench; do
    works $command --help
    says run/out "^usage: cfdtbd $command"
    says run/out '^  --help '
    [ ! -s run/err ] || broken "nothing on stderr wanted"
done
works train --help
for option in preset modality ablation set epochs seed threads device merge-validation select protocol out report k; do
    says run/out "^  --$option"
done

works --version
says run/out '^cfdtbd [0-9]*\.[0-9]*\.[0-9]*$'
says run/out '^device '
says run/out '^instruction set '
says run/out '^dense products '

refused 2 'command is missing'
refused 2 'trian.*nearest is train' trian
refused 2 'no command "xyzzyplugh"' xyzzyplugh
refused 2 'takes no argument' --version please
refused 2 'DIR is missing' train
refused 2 'DIR is missing' evaluate model
refused 2 'MODEL is missing' recommend
refused 2 'too many.*"b"' train a b
refused 2 'DIR is empty' train ''
refused 2 '\-\-epoch;.*nearest is --epochs' train data --epoch 3
refused 2 '\-\-epoch;.*nearest is --epochs' train data --epoch=3
refused 2 'no option --zzzzzzzz' train data --zzzzzzzz
refused 2 'no option -e' train data -e 3
refused 2 '\-\-epochs: N is missing' train data --epochs
refused 2 '\-\-epochs "many"' train data --epochs many
refused 2 '\-\-epochs "-1"' train data --epochs -1
refused 2 '\-\-epochs "1.5"' train data --epochs 1.5
refused 2 '\-\-epochs "99999999999999999999"' train data --epochs 99999999999999999999
refused 2 '\-\-epochs ""' train data --epochs=
refused 2 '\-\-epochs is given twice' train data --epochs 1 --epochs 2
refused 2 '\-\-seed "18446744073709551616"' train data --seed 18446744073709551616
refused 2 '\-\-threads "-2"' train data --threads -2
refused 2 '\-\-select "tset".*validation|test|none' train data --select tset
refused 2 '\-\-protocol "half"' evaluate model data --protocol half
refused 2 '\-\-split "train"' evaluate model data --split train
refused 2 '\-\-merge-validation takes no value' train data --merge-validation=yes
refused 2 '\-\-k "5,,10"' train data --k 5,,10
refused 2 '\-\-k "0"' train data --k 0
refused 2 '\-\-k "1001"' train data --k 1001
refused 2 '\-\-k "5,5".*twice' train data --k 5,5
refused 2 '\-\-out is empty' train data --out=
refused 2 '\-\-k "1,2,.*: 3 is given twice' train data --k "$(seq -s, 1000),3"
refused 2 'same file' train data --out x --report x
refused 2 'ROLE=NAME' train data --modality visual
refused 2 'ROLE=NAME' train data --modality visual=a,textual=b
refused 2 'fused' train data --modality fused=vis
refused 2 'fused' train data --modality visual=vis --modality fused=tex
refused 2 'vi\.s' train data --modality vi.s=vis
refused 2 'v s' train data --modality visual='v s'
refused 2 'visual' train data --modality visual=a --modality visual=b
refused 2 'fused' train data --set modalities=fused=vis
refused 2 'vi\.s' config --set modalities=vi.s=vis
refused 2 'KEY=VALUE' train data --set layers
refused 2 'KEY=VALUE' config --set =3
refused 2 'lasagna' train data --set lasagna=3
refused 2 'nearest is "layers"' train data --set layer=3
refused 2 'layers' train data --set layers=1000
refused 2 'layers' train data --set layers=three
refused 2 'beautey.*beauty' train data --preset beautey
refused 2 'no sleep.*base only' train data --ablation 'no sleep'
refused 2 'nearest is "learning_rate"' config --set learningrate=1
refused 2 'device' info --device teapot .
refused 2 'device' train data --device teapot
refused 1 'cuda' info --device cuda:64 .

# An error stays one line, whatever is quoted in it.
refused 1 'two?lines' info "two
lines"

# "--" ends the options.
refused 1 'no-such-thing' info -- --no-such-thing
only_files . run
