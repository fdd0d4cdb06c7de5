using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using Merge.Sdk;

namespace Merge.Testing.Rules;

/// <summary>
/// What the code of a strategy does, read off its IL: from the methods of its class on through all it calls in its own
/// assembly, lambdas and async bodies included. Found without being run, so that a branch no test takes counts too.
/// </summary>
internal sealed class ReachableCode
{
    private const BindingFlags All = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public
        | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> _opCodes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!)
        .ToDictionary(code => code.Value);

    private readonly Assembly _own;
    // What is made is used: through interfaces its methods are called without being named.
    private bool _wholeTypes;
    private readonly HashSet<MethodBase> _seen = [];
    private readonly Queue<MethodBase> _left = [];

    private ReachableCode(Assembly own) => _own = own;

    /// <summary>Every call, constructor or taken method outside the assembly, and where it stands.</summary>
    public List<(CodePlace From, MethodBase Target)> Calls { get; } = [];

    /// <summary>Every field written, constructors of its own type excepted.</summary>
    public List<(CodePlace From, FieldInfo Target)> Writes { get; } = [];

    /// <summary>Every await on what is no statistic, methods of the own assembly excepted: they are read themselves.</summary>
    public List<(CodePlace From, string Awaited)> ForeignAwaits { get; } = [];

    public static ReachableCode Of(Type strategy)
    {
        var code = new ReachableCode(strategy.Assembly);
        for (var type = strategy; type is not null && type.Assembly == strategy.Assembly; type = type.BaseType)
        {
            foreach (var method in type.GetMethods(All))
                code.Reach(method);
        }
        while (code._left.TryDequeue(out var method))
            code.Read(method);
        return code;
    }

    /// <summary>All that a class may do that makes others of its assembly: whatever those classes do, too.</summary>
    public static ReachableCode WithMade(Type type)
    {
        var code = new ReachableCode(type.Assembly) { _wholeTypes = true };
        foreach (var method in type.GetMethods(All))
            code.Reach(method);
        while (code._left.TryDequeue(out var method))
            code.Read(method);
        return code;
    }

    private void Reach(MethodBase method)
    {
        if (method.DeclaringType?.Assembly != _own || !_seen.Add(method))
            return;
        _left.Enqueue(method);
        if (_wholeTypes && method is ConstructorInfo)
        {
            foreach (var other in method.DeclaringType.GetMethods(All))
                Reach(other);
        }
        if (method.GetCustomAttribute<StateMachineAttribute>() is { } machine)
        {
            foreach (var part in machine.StateMachineType.GetMethods(All))
                Reach(part);
        }
    }

    private void Read(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } il)
            return;
        var typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var methodArguments = method is MethodInfo { IsGenericMethod: true } generic ? generic.GetGenericArguments() : null;
        MethodBase? before = null;
        for (var at = 0; at < il.Length;)
        {
            var place = new CodePlace(method, at);
            var value = il[at] == 0xFE ? (short)((il[at] << 8) | il[at + 1]) : il[at];
            var code = _opCodes[value];
            at += code.Size;
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineField)
            {
                var member = method.Module.ResolveMember(BitConverter.ToInt32(il, at), typeArguments, methodArguments);
                Note(place, code, member);
                if (member is MethodBase called)
                {
                    NoteAwait(place, before, called);
                    before = called;
                }
            }
            at += Length(code.OperandType, il, at);
        }
    }

    private void Note(CodePlace from, OpCode code, MemberInfo? member)
    {
        if (member is MethodBase target)
        {
            if (target.DeclaringType?.Assembly == _own)
                Reach(target is MethodInfo { IsGenericMethod: true } g ? g.GetGenericMethodDefinition() : target);
            else
                Calls.Add((from, target));
        }
        else if (member is FieldInfo field && (code == OpCodes.Stfld || code == OpCodes.Stsfld)
            && !(from.Method is ConstructorInfo && from.Method.DeclaringType == field.DeclaringType))
        {
            Writes.Add((from, field));
        }
    }

    private void NoteAwait(CodePlace from, MethodBase? before, MethodBase called)
    {
        var awaited = called.DeclaringType;
        if (called.Name != nameof(Task.GetAwaiter) || awaited is null
            || (awaited.IsGenericType && awaited.GetGenericTypeDefinition() == typeof(Stat<>)))
        {
            return;
        }
        var maker = before is MethodInfo made && made.ReturnType == awaited ? made : null;
        if (maker?.DeclaringType?.Assembly != _own)
            ForeignAwaits.Add((from, maker is null ? awaited.Name : $"{maker.DeclaringType!.Name}.{maker.Name}"));
    }

    private static int Length(OperandType operand, byte[] il, int at) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
        _ => 4,
    };
}
