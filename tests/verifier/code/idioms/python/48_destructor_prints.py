# problem: big
class Answer:
    def __init__(self, value):
        self.value = value

    def __del__(self):
        print(self.value)


a = int(input())
answer = Answer(a * int(input()))
