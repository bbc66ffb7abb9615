# SPDX-License-Identifier: Apache-2.0
# The example of an approximate index, where it was built: it reads what export writes, and little is missed of little.
. "$2/cli/helpers"
approximate=$(dirname "$program")/approximate
if [ ! -x "$approximate" ]; then
    echo "no FAISS: the example was not built"
    exit 77
fi

# ask CODE FILE FILE
ask() {
    what="approximate $2 $3"
    "$approximate" "$2" "$3" >run/out 2>run/err
    code=$?
    [ "$code" -eq "$1" ] || broken "exit code $1 wanted"
}

world data
works train data $small --epochs 1 --out model
mkdir vectors
works export model vectors
ask 0 vectors/query.npy vectors/key.npy
says run/out '^60 users, 40 items, width [0-9]*; 60 users are asked for the best 20$'
says run/out '^exact  *recall@20 1.0000 '
same "$(grep -c '^  efSearch ' run/out)" 6 "lines of searches"
says run/out '^  efSearch 640  *recall@20 1.0000 '

# Files that are not of one model, or not whole.
ask 1 vectors/query.npy data/shape.npy
says run/err 'not of one model'
ask 1 model vectors/key.npy
says run/err 'model is not a .npy file'
ask 1 vectors/absent vectors/key.npy
says run/err 'cannot read vectors/absent'
head -c 1000 vectors/key.npy >cut
ask 1 vectors/query.npy cut
says run/err 'cut has not as many numbers'
head -c 50 vectors/key.npy >cut
ask 1 vectors/query.npy cut
says run/err 'cut does not hold a float32 matrix'
what="approximate"
"$approximate" >run/out 2>run/err
code=$?
[ "$code" -eq 2 ] || broken "exit code 2 wanted"
